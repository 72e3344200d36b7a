import { auditPager } from '../../functions/incidents/pager-audit/audit-pager.ts';
import { releaseHeldAlarmsTask } from '../../functions/incidents/triage/release-held-alarms.ts';
import type { Repeated } from '../failover/region-schedule.ts';
import { candidateTasks, watcherTasks } from '../failover/region-tasks.ts';

/** Tasks of each minute run every second here, as CloudWatch's minutes are short too. */
const everySecond = { everyMs: 1_000, runMs: 60_000, overlaps: false };

const incidentTasks: readonly Repeated[] = [
  { task: releaseHeldAlarmsTask, ...everySecond },
  { task: auditPager, ...everySecond },
];

/** What runs in a Region with a database, and in one without. */
export const tasksWithDatabase: readonly Repeated[] = [...candidateTasks, ...incidentTasks];
export const tasksWithout: readonly Repeated[] = [...watcherTasks, ...incidentTasks];
