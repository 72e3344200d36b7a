import { hours, minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { latestExecution } from '../../leadership/execution-name.ts';
import { planFailover } from '../../leadership/plan.ts';
import { standingOf } from '../../leadership/standing.ts';
import { FullTestRecord } from '../full-test-models.ts';
import { whyNotWell } from '../live-system.ts';
import { act, found, inPhase, notYet, wrong } from './full-test-step.ts';

/** Longer than the machine `failover` may run, its questions included. */
const moveLimit = hours(8);

/** Starts the planned change, which asks a human. Its plan follows from the request, so a repeated step asks for the same one. */
export const moveForFullTest = defineStep({
  name: 'move-for-full-test',
  summary: 'Asks for the planned change that moves the lead for the test; a human must approve it.',
  timeout: minutes(1),
  needs: ['coordination:read', 'executions:move'],
  input: FullTestRecord,
  async run(record, context) {
    const { coordination, executions, operations, clock, region: here } = context;
    const { testId, leader, region, epoch, requestedBy, requestedAt } = record.request;
    const now = clock.now();
    if (here !== region) return wrong(record, 'stopped', `a full test of ${region} was started in ${here}`);
    const [current, votes, hold] = await Promise.all([coordination.read(), coordination.votes(), coordination.hold()]);
    if (current?.plan?.reason.startsWith(`full test ${testId}:`)) {
      return found({ ...inPhase(record, 'move', now), plan: current.plan }, 'moving', `epoch ${current.epoch} is ${current.phase} already`);
    }
    const because = whyNotWell({ operations, record: current, votes, hold, now }, { leader, epoch });
    if (because !== undefined) return wrong(record, 'stopped', because);
    const planned = planFailover({
      ...{ operations, record: current, kind: 'switchover', to: region, requestedBy, now: new Date(requestedAt), needsApproval: true },
      reason: `full test ${testId}: the lead moves to ${region} and back`,
    });
    if (planned.kind === 'refused') return wrong(record, 'stopped', planned.because);
    const { plan } = planned;
    const { ref } = await latestExecution(executions, plan);
    await act(context, record, { action: 'move-for-full-test', resource: `epoch/${plan.epoch}`, details: { execution: ref.name } }, () =>
      executions.start({ ...ref, input: { plan } }),
    );
    return found({ ...inPhase(record, 'move', now), plan }, 'moving', `epoch ${plan.epoch} is asked for ${region}; a human must approve`);
  },
});

/** Looks who leads. What the coordination record says counts, not how an execution ended. */
export const awaitFullTestMove = defineStep({
  name: 'await-full-test-move',
  summary: 'Looks whether the lead has moved for the test.',
  timeout: minutes(1),
  needs: ['coordination:read', 'executions:move'],
  input: FullTestRecord,
  async run(record, context) {
    const { coordination, executions, clock } = context;
    const { plan } = record;
    if (!plan) throw new InvalidInput('the record of the full test has no plan to wait for');
    const standing = standingOf(await coordination.read(), plan);
    const { status } = await latestExecution(executions, plan);
    const now = clock.now();
    if (standing === 'leads' && status !== 'running') {
      const movedAt = record.movedAt ?? timestamp(now);
      return { ...found(inPhase(record, 'run here', now), 'moved', `${plan.to} leads in epoch ${plan.epoch}`), movedAt };
    }
    const goesOn = standing === 'leads' || standing === 'claimed' || standing === 'promoting' || status === 'running';
    if (goesOn && standing !== 'rolled-back' && standing !== 'elsewhere') {
      return notYet(record, 'moving', `epoch ${plan.epoch}: ${standing}`, { now, limit: moveLimit });
    }
    return wrong(record, 'stopped', `the change to ${plan.to} was refused, given up or not answered: ${standing}`);
  },
});
