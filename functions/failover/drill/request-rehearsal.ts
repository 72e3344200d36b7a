import { minutes } from '../../common/duration.ts';
import { timeSlug, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import { candidateRegions } from '../candidates.ts';
import type { CoordinationRecord } from '../models.ts';
import { insideWindow } from './change-window.ts';
import type { RehearsalRequest } from './models.ts';

/** What must be left of a change window when a drill begins; config/drill-rules.ts holds schedules against the same hour. */
const drillTakes = minutes(60);

export interface WantedRehearsal {
  readonly operations: Pick<Operations, 'regions' | 'databases' | 'failover' | 'changeWindows' | 'timeZone'>;
  /** As it was just read. */
  readonly record: CoordinationRecord | undefined;
  readonly requestedBy: string;
  readonly now: Date;
  /** A person may run it outside of all change windows; a schedule may not. */
  readonly anytime: boolean;
}

/** What the machine starts with, or why nothing can be rehearsed now. */
export function requestRehearsal({
  operations,
  record,
  requestedBy,
  now,
  anytime,
}: WantedRehearsal):
  | { readonly kind: 'request'; readonly request: RehearsalRequest }
  | { readonly kind: 'refused'; readonly because: string } {
  const refused = (because: string) => ({ kind: 'refused' as const, because });
  if (operations.failover.mode === 'off') return refused('failover.mode is off: there is no failover to rehearse');
  if (record === undefined) return refused('no guardian has ever renewed a lease: there is nothing to rehearse yet');
  if (record.phase !== 'active')
    return refused(`epoch ${record.epoch} is ${record.phase} for ${record.holder}: this is no time for a drill`);
  const region = candidateRegions(operations).find((candidate) => candidate !== record.holder);
  if (region === undefined) return refused(`no Region but ${record.holder} can lead: there is nothing to rehearse`);
  const window = insideWindow(operations.changeWindows, operations.timeZone, now, drillTakes);
  if (window === undefined && !anytime) return refused('no change window is open with an hour left in it, and drills are disruptive work');
  return {
    kind: 'request',
    request: {
      rehearsalId: `rehearsal-${timeSlug(now)}`,
      epoch: record.epoch,
      leader: record.holder,
      region,
      requestedBy,
      requestedAt: timestamp(now),
      ...(window ? { windowClosesAt: timestamp(window.closesAt) } : {}),
    },
  };
}

/** Runs where the rehearsed failover would run. */
export const rehearsalExecution = ({ region, rehearsalId }: RehearsalRequest): ExecutionRef => ({
  region,
  machine: 'failover-rehearsal',
  name: rehearsalId,
});
