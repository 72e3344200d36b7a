import { drillTask } from './drill-task.ts';
import { rehearsalExecution, requestRehearsal } from './request-rehearsal.ts';

/** Beside the live system, monthly. */
export const rehearseFailover = drillTask({
  name: 'rehearse-failover',
  summary: 'Rehearses a failover beside the live system, on temporary replicas, inside a change window.',
  called: 'rehearsal',
  schedule: 'rehearsal',
  request: requestRehearsal,
  executionOf: rehearsalExecution,
});
