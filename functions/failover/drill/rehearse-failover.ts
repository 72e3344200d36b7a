import { z } from 'zod';
import { audited } from '../../audit/audited.ts';
import { minutes } from '../../common/duration.ts';
import { defineTask } from '../../common/task.ts';
import { FailoverRefused } from '../errors.ts';
import { automaticRequester } from '../leadership/plan.ts';
import { rehearsalExecution, requestRehearsal } from './request-rehearsal.ts';

/** Starts the rehearsal in the Region that would take over (row F9); in the one that leads there is nothing to do. */
export const rehearseFailover = defineTask({
  name: 'rehearse-failover',
  summary: 'Rehearses a failover beside the live system, on temporary replicas, inside a change window.',
  schedule: ({ failover }) => (failover.mode === 'off' ? [] : [{ key: '', schedule: failover.drills.rehearsal, input: {} }]),
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
    // The time it was due, not the time it runs: a second trigger of one occurrence finds the first one's execution.
    const wanted = { operations, record, requestedBy: automaticRequester, now: scheduledAt, anytime: false };
    const requested = requestRehearsal(wanted);
    if (requested.kind === 'refused') throw new FailoverRefused(`no rehearsal: ${requested.because}`);
    const { request } = requested;
    const details = { epoch: request.epoch, leader: request.leader };
    const act = { actor: 'task/rehearse-failover', action: 'start-rehearsal', resource: request.rehearsalId, details };
    await audited(context, act, () => executions.start({ ...rehearsalExecution(request), input: { request } }));
    return { started: request.rehearsalId };
  },
});
