import { timeSlug, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import { candidateRegions } from '../leadership/candidates.ts';
import type { CoordinationRecord } from '../models.ts';
import type { FailbackRequest } from './models.ts';

export interface WantedFailback {
  readonly operations: Pick<Operations, 'regions' | 'databases' | 'failover'>;
  /** As it was just read. */
  readonly record: CoordinationRecord | undefined;
  readonly handOver: boolean;
  readonly requestedBy: string;
  readonly reason: string;
  readonly now: Date;
}

/** What the machine starts with, or why there is nothing to fail back. */
export function requestFailback({
  operations,
  record,
  ...wanted
}: WantedFailback):
  | { readonly kind: 'request'; readonly request: FailbackRequest }
  | { readonly kind: 'refused'; readonly because: string } {
  const refused = (because: string) => ({ kind: 'refused' as const, because });
  if (operations.failover.mode === 'off') return refused('failover.mode is off: nothing is ever moved');
  if (record === undefined) return refused('no guardian has ever renewed a lease: nothing has moved yet');
  if (record.phase !== 'active') return refused(`epoch ${record.epoch} is ${record.phase} for ${record.holder}: one change at a time`);
  const others = candidateRegions(operations).filter((region) => region !== record.holder);
  const [oldRegion] = others;
  if (!oldRegion) return refused(`no Region but ${record.holder} can lead: there is nowhere to fail back to`);
  const { handOver, requestedBy, reason, now } = wanted;
  return {
    kind: 'request',
    request: {
      failbackId: `failback-${record.epoch}-${timeSlug(now)}`,
      epoch: record.epoch,
      leader: record.holder,
      oldRegion,
      handOver,
      requestedBy,
      reason: reason.slice(0, 1000),
      requestedAt: timestamp(now),
    },
  };
}

/** Runs in the Region that leads: what it needs most is the primary, and that one it must not disturb. */
export const failbackExecution = ({ leader, failbackId }: FailbackRequest): ExecutionRef => ({
  region: leader,
  machine: 'failback',
  name: failbackId,
});
