import { drillTask } from './drill-task.ts';
import { fullTestExecution, requestFullTest } from './request-full-test.ts';

/** Quarterly; a human must approve it each time. */
export const fullFailoverTest = drillTask({
  name: 'full-failover-test',
  summary: 'Moves the lead for real and back, once a human has approved; inside a change window.',
  called: 'full test',
  schedule: 'fullTest',
  request: requestFullTest,
  executionOf: fullTestExecution,
});
