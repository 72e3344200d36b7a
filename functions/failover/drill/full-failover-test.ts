import { z } from 'zod';
import { audited } from '../../audit/audited.ts';
import { minutes } from '../../common/duration.ts';
import { defineTask } from '../../common/task.ts';
import { FailoverRefused } from '../errors.ts';
import { automaticRequester } from '../leadership/plan.ts';
import { fullTestExecution, requestFullTest } from './request-full-test.ts';

/** Asks for the quarterly full test, which a human must approve each time (row F9). It starts in the Region that would lead in between. */
export const fullFailoverTest = defineTask({
  name: 'full-failover-test',
  summary: 'Moves the lead for real and back, once a human has approved; inside a change window.',
  schedule: ({ failover }) => (failover.mode === 'off' ? [] : [{ key: '', schedule: failover.drills.fullTest, input: {} }]),
  runsIn: 'candidate',
  // Late it would run outside of the window.
  catchUp: false,
  timeout: minutes(1),
  needs: ['coordination:read', 'executions:move'],
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, coordination, executions, region, scheduledAt } = context;
    const record = await coordination.read();
    if (record?.holder === region) return { started: null };
    const requested = requestFullTest({ operations, record, requestedBy: automaticRequester, now: scheduledAt, anytime: false });
    if (requested.kind === 'refused') throw new FailoverRefused(`no full test: ${requested.because}`);
    const { request } = requested;
    const details = { epoch: request.epoch, leader: request.leader };
    const act = { actor: 'task/full-failover-test', action: 'start-full-test', resource: request.testId, details };
    await audited(context, act, () => executions.start({ ...fullTestExecution(request), input: { request } }));
    return { started: request.testId };
  },
});
