import { taskNamed } from '../../functions/tasks.ts';
import type { Repeated } from './region-schedule.ts';

const MINUTE_MS = 60_000;
/** A task's run ends this much before its deadline. */
const DEADLINE_MARGIN_MS = 5_000;
/** How long one run of the canary's task writes here; the deployed one writes for a minute. */
const CANARY_MS = 2_000;

export const guardian = taskNamed('guard-lease');
export const observer = taskNamed('observe-regions');
const fenceKeeper = taskNamed('keep-fence-complete');
const canary = taskNamed('write-canary');

/** As scheduled: a run begins each minute and outlasts the next one's beginning. */
const everyMinute = { everyMs: MINUTE_MS, runMs: 5 * MINUTE_MS, overlaps: true };
/** More often than scheduled: it runs in whichever region is active by then, and a minute's wait for it would be most of the story. */
const atOnce = (runMs: number) => ({ everyMs: 500, runMs: runMs + DEADLINE_MARGIN_MS, overlaps: false });

/** What runs in a region with a database, and what in one that only watches. */
export const candidateTasks: readonly Repeated[] = [
  { task: fenceKeeper, ...everyMinute },
  { task: guardian, ...everyMinute },
  { task: observer, ...everyMinute },
  { task: canary, ...atOnce(CANARY_MS) },
];
export const watcherTasks: readonly Repeated[] = [{ task: observer, ...everyMinute }];
