import { randomInt } from 'node:crypto';
import type { Clock } from '../../common/clock.ts';
import { before, days } from '../../common/duration.ts';
import { Conflict } from '../../common/errors.ts';
import type { RunbookHistory, RunbookRun } from './models.ts';
import type { RunbookRuns } from './ports.ts';

/** Longer than any `guard.per` may be (config/runbook-rules.ts). */
const keep = days(31);
/** So that one item holds them; the oldest that are over go first. */
const most = 500;

/** With this run as it is now; what is too old for every guard is left out. */
export function withRun({ runs, version }: RunbookHistory, run: RunbookRun, now: Date): RunbookHistory {
  const since = before(now, keep).getTime();
  const others = runs.filter((each) => each.runId !== run.runId && Date.parse(each.startedAt) > since);
  return { runs: [...others, run].sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1)).slice(-most), version };
}

const attempts = 8;
const pauseMilliseconds = 50;

/**
 * Reads the history, decides, and writes it if nobody wrote it since: of two runs that want to begin at once, the later one decides with the earlier one in the history.
 *
 * @param decide undefined to write nothing
 * @throws Conflict when somebody always was faster
 */
export async function changeHistory<T>(
  { runbookRuns, clock }: { readonly runbookRuns: RunbookRuns; readonly clock: Clock },
  decide: (history: RunbookHistory) => { readonly history: RunbookHistory | undefined; readonly result: T },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const { history, result } = decide(await runbookRuns.history());
    try {
      if (history) await runbookRuns.put(history);
      return result;
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === attempts) throw error;
      await clock.sleep(randomInt(pauseMilliseconds * attempt) + 1);
    }
  }
}
