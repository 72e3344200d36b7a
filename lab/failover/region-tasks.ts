import { writeCanaries } from '../../functions/backup/write-canary.ts';
import { keepFenceComplete } from '../../functions/failover/fence/keep-fence-complete.ts';
import { guardLease } from '../../functions/failover/lease/guard.ts';
import { observeRegions } from '../../functions/failover/observe/observe.ts';
import type { Repeated } from './region-schedule.ts';

const MINUTE_MS = 60_000;
/** A task's run ends this much before its deadline. */
const DEADLINE_MARGIN_MS = 5_000;
/** How long one run of the canary's task writes here; the deployed one writes for a minute. */
const CANARY_MS = 2_000;

/** As scheduled: a run begins each minute and outlasts the next one's beginning. */
const everyMinute = { everyMs: MINUTE_MS, runMs: 5 * MINUTE_MS, overlaps: true };
/** More often than scheduled: it runs in whichever region is active by then, and a minute's wait for it would be most of the story. */
const atOnce = (runMs: number) => ({ everyMs: 500, runMs: runMs + DEADLINE_MARGIN_MS, overlaps: false });

/** What runs in a region with a database. */
export const candidateTasks: readonly Repeated[] = [
  { task: keepFenceComplete, ...everyMinute },
  { task: guardLease, ...everyMinute },
  { task: observeRegions, ...everyMinute },
  { task: writeCanaries, ...atOnce(CANARY_MS) },
];
/** What runs in one that only watches. */
export const watcherTasks: readonly Repeated[] = [{ task: observeRegions, ...everyMinute }];
