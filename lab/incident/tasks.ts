import { observeRegions } from '../../functions/failover/observe/observe.ts';
import { releaseHeldAlarmsTask } from '../../functions/incidents/triage/release-held-alarms.ts';
import type { Repeated } from '../failover/region-schedule.ts';

const MINUTE_MS = 60_000;

/** What runs in every Region. The tasks of each minute run every second here, as CloudWatch's minutes are short too. */
export const incidentTasks: readonly Repeated[] = [
  { task: observeRegions, everyMs: MINUTE_MS, runMs: 5 * MINUTE_MS, overlaps: true },
  { task: releaseHeldAlarmsTask, everyMs: 1_000, runMs: MINUTE_MS, overlaps: false },
];
