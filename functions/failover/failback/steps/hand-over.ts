import { minutes } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { latestExecution } from '../../leadership/execution-name.ts';
import { planFailover } from '../../leadership/plan.ts';
import type { CoordinationRecord, FailoverPlan } from '../../models.ts';
import { FailbackRecord, type FailbackRequest } from '../models.ts';
import { act, found } from './failback-step.ts';

/**
 * Gives the lead back by a planned change: the machine `failover` of the old Region, which waits for the closing mark, so nothing is lost. Repeated, it finds the
 * change that it asked for before.
 */
export const handOver = defineStep({
  name: 'hand-over',
  summary: 'Starts the planned change that gives the lead back to the old Region.',
  timeout: minutes(1),
  needs: ['coordination:read', 'executions:move'],
  input: FailbackRecord,
  async run(record, context) {
    const { coordination, executions, operations, clock } = context;
    const { request } = record;
    if (!request.handOver)
      return found(record, 'stays', `${request.leader} keeps the lead, ${request.oldRegion} is its replica`, clock.now());
    const current = await coordination.read();
    const plan = record.plan ?? underWay(current, request);
    if (plan) return found({ ...record, plan }, 'handing-over', `epoch ${plan.epoch} is asked for already`, clock.now());
    const planned = planFailover({
      ...{ operations, record: current, kind: 'switchover', to: request.oldRegion, requestedBy: request.requestedBy, now: clock.now() },
      reason: `failback ${request.failbackId}: ${request.reason}`,
      needsApproval: operations.failover.mode === 'approve',
    });
    if (planned.kind === 'refused') return found(record, 'stopped', planned.because, clock.now());
    if (planned.plan.from !== request.leader) return found(record, 'stopped', `${planned.plan.from} leads now`, clock.now());
    const { ref } = await latestExecution(executions, planned.plan);
    const details = { execution: ref.name };
    await act(context, record, { action: 'hand-over', resource: `epoch/${planned.plan.epoch}`, details }, () =>
      executions.start({ ...ref, input: { plan: planned.plan } }),
    );
    return found(
      { ...record, plan: planned.plan },
      'handing-over',
      `epoch ${planned.plan.epoch} is asked for ${request.oldRegion}`,
      clock.now(),
    );
  },
});

/** The change that this failback asked for, when it holds the record now: an execution that died may have asked for it. */
export const underWay = (current: CoordinationRecord | undefined, { failbackId }: FailbackRequest): FailoverPlan | undefined =>
  current?.plan?.reason.startsWith(`failback ${failbackId}:`) ? current.plan : undefined;
