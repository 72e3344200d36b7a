import { before, days } from '../../common/duration.ts';
import { type DatabaseId, timeSlug, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import type { CoordinationRecord } from '../models.ts';
import type { BreachRequest } from './models.ts';

/** Who is in was there before somebody saw it: what is kept of the logs where nobody says since when. */
const looksBack = days(1);

export interface DeclaredBreach {
  readonly operations: Pick<Operations, 'databases' | 'failover'>;
  /** As it was just read. */
  readonly record: CoordinationRecord | undefined;
  readonly requestedBy: string;
  readonly reason: string;
  /** First sign of it; a day before `now` when left out. */
  readonly since?: Date;
  readonly recover?: { readonly databaseId: DatabaseId; readonly until: Date };
  readonly now: Date;
}

type RequestOrRefusal =
  | { readonly kind: 'request'; readonly request: BreachRequest }
  | { readonly kind: 'refused'; readonly because: string; readonly hint: string };

/** What the machine starts with, or why it cannot. A hold is no reason against it: whoever noticed the breach may have put one. */
export function requestBreach({ operations, record, since, recover, now, requestedBy, reason }: DeclaredBreach): RequestOrRefusal {
  const refused = (because: string, hint: string): RequestOrRefusal => ({ kind: 'refused', because, hint });
  const byHand = 'By hand: docs/runbooks/SecurityBreach.md, "Without the machine".';
  if (operations.failover.mode === 'off') return refused('failover.mode is off: the machine is not deployed', byHand);
  if (record === undefined) return refused('no guardian has ever renewed a lease: which Region leads is not known', byHand);
  if (record.phase !== 'active') {
    const stop =
      record.phase === 'claimed' ? 'Stop it first: codeblue failover abort.' : 'It ends within minutes: codeblue failover status.';
    return refused(`epoch ${record.epoch} is ${record.phase} for ${record.holder}: the lead is being moved`, stop);
  }
  const from = since ?? before(now, looksBack);
  if (from >= now) return refused(`${from.toISOString()} has not come yet`, 'Name the first sign of the breach.');
  if (recover && !operations.databases.some(({ id }) => id === recover.databaseId)) {
    return refused(
      `there is no database "${recover.databaseId}" in the config`,
      `It has: ${operations.databases.map(({ id }) => id).join(', ')}.`,
    );
  }
  if (recover && recover.until >= now)
    return refused(`${recover.until.toISOString()} has not come yet`, 'Name a second at which it was certainly clean.');
  return {
    kind: 'request',
    request: {
      breachId: `breach-${timeSlug(now)}`,
      ...{ region: record.holder, epoch: record.epoch, requestedBy, reason, declaredAt: timestamp(now), since: timestamp(from) },
      ...(recover ? { recover: { databaseId: recover.databaseId, until: timestamp(recover.until) } } : {}),
    },
  };
}

/** Runs where the live databases are. */
export const breachExecution = ({ region, breachId }: Pick<BreachRequest, 'region' | 'breachId'>): ExecutionRef => ({
  region,
  machine: 'contain-breach',
  name: breachId,
});
