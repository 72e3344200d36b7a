import { minutes } from '../../common/duration.ts';
import type { Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { candidateRegions } from '../leadership/candidates.ts';
import type { CoordinationRecord, Epoch } from '../models.ts';
import { insideWindow, type OpenWindow } from './change-window.ts';

/** What must be left of a change window when a drill begins; config/drill-rules.ts holds schedules against the same hour. */
const drillTakes = minutes(60);

export interface WantedDrill {
  readonly operations: Pick<Operations, 'regions' | 'databases' | 'failover' | 'changeWindows' | 'timeZone'>;
  /** As it was just read. */
  readonly record: CoordinationRecord | undefined;
  readonly now: Date;
  /** A person may run it outside of all change windows; a schedule may not. */
  readonly anytime: boolean;
}

export type DrillPlace =
  | {
      readonly kind: 'place';
      readonly epoch: Epoch;
      readonly leader: Region;
      /** The Region that would take over. */
      readonly region: Region;
      readonly window: OpenWindow | undefined;
    }
  | { readonly kind: 'refused'; readonly because: string };

/** Where a drill runs now, or why there can be none. */
export function whereToDrill({ operations, record, now, anytime }: WantedDrill): DrillPlace {
  const refused = (because: string) => ({ kind: 'refused' as const, because });
  if (operations.failover.mode === 'off') return refused('failover.mode is off: there is no failover to rehearse');
  if (record === undefined) return refused('no guardian has ever renewed a lease: there is nothing to rehearse yet');
  if (record.phase !== 'active')
    return refused(`epoch ${record.epoch} is ${record.phase} for ${record.holder}: this is no time for a drill`);
  const region = candidateRegions(operations).find((candidate) => candidate !== record.holder);
  if (region === undefined) return refused(`no Region but ${record.holder} can lead: there is nothing to rehearse`);
  const window = insideWindow(operations.changeWindows, operations.timeZone, now, drillTakes);
  if (window === undefined && !anytime) return refused('no change window is open with an hour left in it, and drills are disruptive work');
  return { kind: 'place', epoch: record.epoch, leader: record.holder, region, window };
}
