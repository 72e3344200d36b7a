import { hours, minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { latestExecution } from '../../leadership/execution-name.ts';
import { standingOf } from '../../leadership/standing.ts';
import { FailbackRecord } from '../models.ts';
import { found, notYet } from './failback-step.ts';
import { underWay } from './hand-over.ts';

/** Longer than the machine `failover` may run, its questions included. */
const limit = hours(8);

/** Looks who leads. What the coordination record says counts, not how an execution ended. */
export const awaitHandOver = defineStep({
  name: 'await-hand-over',
  summary: 'Looks whether the old Region leads again.',
  timeout: minutes(1),
  needs: ['coordination:read', 'executions:move'],
  input: FailbackRecord,
  async run(record, context) {
    const { coordination, executions, clock } = context;
    const { request } = record;
    const current = await coordination.read();
    const plan = underWay(current, request) ?? record.plan;
    if (!plan) throw new InvalidInput('the record of the failback has no plan to wait for');
    const standing = standingOf(current, plan);
    const { status } = await latestExecution(executions, plan);
    const now = clock.now();
    switch (standing) {
      case 'leads':
        if (status === 'running')
          return notYet(record, 'handing-over', `${plan.to} leads, and its failover is being completed`, { now, limit });
        return found(record, 'handed-over', `${plan.to} leads in epoch ${plan.epoch}`, now);
      case 'claimed':
      case 'promoting':
        return notYet(record, 'handing-over', `epoch ${plan.epoch} is ${standing}`, { now, limit });
      case 'before':
        if (status === 'running') return notYet(record, 'handing-over', `epoch ${plan.epoch} is not claimed yet`, { now, limit });
        return found(record, 'stopped', `the change to ${plan.to} did not begin: ${request.leader} leads, and has a proven replica`, now);
      case 'rolled-back':
        return found(record, 'stopped', `the change to ${plan.to} was given up: ${request.leader} leads, and has a proven replica`, now);
      case 'elsewhere':
        return found(record, 'stopped', 'somebody else moved the lead meanwhile', now);
    }
  },
});
