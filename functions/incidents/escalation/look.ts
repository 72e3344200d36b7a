import type { Operations } from '../../common/operations.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import type { Incident, Page } from '../models.ts';
import { onCallOf } from '../on-call/on-call.ts';
import type { Incidents, Outbox } from '../ports.ts';
import { type DuePages, duePages } from './due-pages.ts';
import { leavesSeconds, sameCauseBefore } from './shared-cause.ts';

export interface Look extends DuePages {
  /** Pages of the incident so far. */
  readonly sent: readonly Page[];
}

/**
 * Reads what `duePages` wants to know, and asks it. The machine that sends and the auditor that compares both look through here.
 *
 * @throws ServiceUnavailable
 */
export async function lookAt(
  incident: Incident,
  { operations, incidents, outbox }: { readonly operations: Operations; readonly incidents: Incidents; readonly outbox: Outbox },
  now: Date,
): Promise<Look> {
  const regions = regionsOf(operations);
  const leaves = leavesSeconds(incident, regions);
  const [sent, overrides, toldElsewhere] = await Promise.all([
    outbox.of(incident.id),
    incidents.overrides(),
    leaves > 0 ? toldBefore() : false,
  ]);
  const seen = { pages: sent, leavesSeconds: leaves, toldElsewhere };
  return { ...duePages(incident, operations.incidents, onCallOf(operations.incidents, overrides), now, seen), sent };

  async function toldBefore(): Promise<boolean> {
    for (const other of sameCauseBefore(incident, await incidents.open(), regions)) {
      if ((await outbox.of(other.id)).some(({ status }) => status === 'accepted')) return true;
    }
    return false;
  }
}
