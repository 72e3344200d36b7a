import { before, formatSeconds, seconds, secondsBetween } from '../../common/duration.ts';
import type { ChangeWindow } from '../../common/failover-policy.ts';
import type { Region } from '../../common/ids.ts';
import type { AutomatedRunbook } from '../../common/incident-policy.ts';
import { insideWindow } from '../../failover/drill/change-window.ts';
import { heldBy } from '../../failover/leadership/stop-sign.ts';
import type { Containment, CoordinationRecord, Hold } from '../../failover/models.ts';
import type { RunbookRun } from './models.ts';
import { targetOf } from './targets.ts';

/** Acting, and what comes before and after the wait for its effect. */
const slack = seconds(900);

/** Who leads and who holds what, as it was just read; all undefined where the lead never moves. */
export interface Leadership {
  readonly record: CoordinationRecord | undefined;
  readonly hold: Hold | undefined;
  readonly containment: Containment | undefined;
}

export interface Windows {
  readonly changeWindows: readonly ChangeWindow[];
  readonly timeZone: string;
}

export type Verdict = { readonly kind: 'may'; readonly says: string } | { readonly kind: 'refused'; readonly because: string };

/**
 * Whether an automated runbook may begin now; a refusal says why. In this order:
 * 1. never while the lead is being moved, somebody holds everything, or a breach is contained: people and failovers come first;
 * 2. inside its change window, with time left to see whether it helped, where it wants one;
 * 3. no more than `tries` within `per`, over all incidents: one that does not help must not go on;
 * 4. one thing at a time: no other run of this kind is under way, whatever it acts on, and no other run of any kind acts on the same thing. Runs that died hold nobody up for
 *    longer than they may take.
 *
 * Whether a human must agree is asked elsewhere (`guard.approval`). A run that the history has already is let go on by rules 2 to 4: it began by them.
 */
export function mayRun(
  runbook: AutomatedRunbook,
  { runId, runs }: { readonly runId: string; readonly runs: readonly RunbookRun[] },
  { leadership, windows }: { readonly leadership: Leadership; readonly windows: Windows },
  now: Date,
): Verdict {
  const refused = (because: string): Verdict => ({ kind: 'refused', because });
  const stopped = inTheWay(leadership, now);
  if (stopped !== undefined) return refused(stopped);
  const others = runs.filter((run) => run.runId !== runId);
  if (others.length < runs.length) return { kind: 'may', says: 'it has begun' };

  const { guard } = runbook;
  const window = insideWindow(windows.changeWindows, windows.timeZone, now, runbook.helpsWithin);
  if (guard.when === 'change-window' && !window) {
    return refused(`no change window is open with ${formatSeconds(runbook.helpsWithin)} left in it`);
  }
  const since = before(now, guard.per).getTime();
  const tries = others.filter((run) => run.runbook === runbook.id && run.outcome !== 'refused' && Date.parse(run.startedAt) > since);
  if (tries.length >= guard.tries) {
    return refused(`it has run ${tries.length} times within ${formatSeconds(guard.per)}, and ${guard.tries} are allowed${lastOf(tries)}`);
  }
  const target = targetOf(runbook);
  const busy = others.find((run) => isUnderWay(run, now) && (run.kind === runbook.action.kind || run.target === target));
  if (busy) return refused(`${busy.runId} is at work on ${busy.target}, and one thing is mended at a time`);
  return { kind: 'may', says: window && guard.when === 'change-window' ? `inside ${window.name}` : 'nothing stands in its way' };
}

/** Why nothing may be touched now. The traffic, or the databases, are somebody else's to move. */
export function inTheWay({ record, hold, containment }: Leadership, now: Date): string | undefined {
  if (record && record.phase !== 'active') return `epoch ${record.epoch} is ${record.phase} for ${record.holder}: the lead is being moved`;
  if (record?.committed) return `the lead moved to ${record.holder} in epoch ${record.epoch}, and that is not over`;
  if (containment) return `${containment.breachId} is being contained since ${containment.since}`;
  return heldBy(hold, now);
}

export const isUnderWay = ({ endedAt, until }: RunbookRun, now: Date): boolean =>
  endedAt === undefined && secondsBetween(now, new Date(until)) > 0;

const lastOf = (tries: readonly RunbookRun[]): string => {
  const last = tries.at(-1);
  return last?.outcome === undefined ? '' : `; the last one ${last.outcome === 'helped' ? 'helped' : 'did not help'}`;
};

/** For as long as such a run can take, after it began. */
export const mostSeconds = ({ helpsWithin }: Pick<AutomatedRunbook, 'helpsWithin'>): number => helpsWithin + slack;

/** Where database work goes that follows the lead. */
export const leaderOf = ({ record }: Pick<Leadership, 'record'>, primary: Region): Region => record?.holder ?? primary;
