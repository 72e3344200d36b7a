import { secondsBetween } from '../../common/duration.ts';
import { type DatabaseId, timeSlug, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import { heldBy } from '../leadership/stop-sign.ts';
import type { CoordinationRecord, Hold } from '../models.ts';
import type { RecoveryRequest } from './models.ts';

export interface WantedRecovery {
  readonly operations: Pick<Operations, 'databases' | 'failover'>;
  /** As they were just read. */
  readonly record: CoordinationRecord | undefined;
  readonly hold: Hold | undefined;
  readonly databaseId: DatabaseId;
  /** The last second that is still good. */
  readonly until: Date;
  readonly requestedBy: string;
  readonly reason: string;
  readonly now: Date;
  /** Whose hold may stand: that of the containment which asks for it. */
  readonly under?: string;
}

/** What the machine `recover-database` starts with, or why it cannot. Whether there is anything to restore is not asked here: see `chooseCleanState`. */
export function requestRecovery(
  wanted: WantedRecovery,
): { readonly kind: 'request'; readonly request: RecoveryRequest } | { readonly kind: 'refused'; readonly because: string } {
  const { operations, record, databaseId, until, requestedBy, reason, now, under } = wanted;
  const refused = (because: string) => ({ kind: 'refused' as const, because });
  if (operations.failover.mode === 'off')
    return refused('failover.mode is off: without a fence nothing can take the place of a live database safely');
  if (record === undefined) return refused('no guardian has ever renewed a lease: nobody leads yet');
  if (record.phase !== 'active') return refused(`epoch ${record.epoch} is ${record.phase} for ${record.holder}: one change at a time`);
  const database = operations.databases.find(({ id }) => id === databaseId);
  if (!database) return refused(`the config has no database ${databaseId}`);
  if (database.engine === 'aurora-postgres') {
    return refused(`${databaseId} is a cluster of an Aurora global database, which RDS does not let another one take the place of`);
  }
  const recoveryId = `recovery-${databaseId}-${timeSlug(now)}`;
  // Its own hold stands when the same is asked for again, by a caller who did not hear the answer.
  const stopped = holdInTheWay(wanted.hold, [recoveryId, under], now);
  if (stopped !== undefined) return refused(stopped);
  if (secondsBetween(until, now) < 0) return refused(`${timestamp(until)} lies in the future`);
  return {
    kind: 'request',
    request: {
      ...{ recoveryId, databaseId, region: record.holder, until: timestamp(until) },
      ...{ epoch: record.epoch, requestedBy, reason: reason.slice(0, 1000), requestedAt: timestamp(now) },
      ...(under === undefined ? {} : { under }),
    },
  };
}

/** Who holds everything, besides those who may. */
export const holdInTheWay = (hold: Hold | undefined, allowed: readonly (string | undefined)[], now: Date): string | undefined =>
  hold !== undefined && allowed.includes(hold.by) ? undefined : heldBy(hold, now);

/** Runs where the damaged database is, and reaches no other Region. */
export const recoveryExecution = ({ region, recoveryId }: Pick<RecoveryRequest, 'region' | 'recoveryId'>): ExecutionRef => ({
  region,
  machine: 'recover-database',
  name: recoveryId,
});
