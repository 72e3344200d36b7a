import { taskNamed } from '../../functions/tasks.ts';
import type { Repeated } from './region-schedule.ts';

const MINUTE_MS = 60_000;
/** A task's run ends this much before its deadline. */
const DEADLINE_MARGIN_MS = 5_000;
/** How long one run of the canary's task writes here; the deployed one writes for a minute. */
const CANARY_MS = 2_000;

/** Names in the registry. */
export const guardian = 'guard-lease';
export const observer = 'observe-regions';
const fenceKeeper = 'keep-fence-complete';
const canary = 'write-canary';

/** As scheduled: a run begins each minute and outlasts the next one's beginning. */
const everyMinute = { everyMs: MINUTE_MS, runMs: 5 * MINUTE_MS, overlaps: true };
/** More often than scheduled: it runs in whichever region is active by then, and a minute's wait for it would be most of the story. */
const atOnce = (runMs: number) => ({ everyMs: 500, runMs: runMs + DEADLINE_MARGIN_MS, overlaps: false });

/** What runs in a region with a database. */
export const candidateTasks = (): readonly Repeated[] => [
  { task: taskNamed(fenceKeeper), ...everyMinute },
  { task: taskNamed(guardian), ...everyMinute },
  { task: taskNamed(observer), ...everyMinute },
  { task: taskNamed(canary), ...atOnce(CANARY_MS) },
];
/** What runs in one that only watches. */
export const watcherTasks = (): readonly Repeated[] => [{ task: taskNamed(observer), ...everyMinute }];
