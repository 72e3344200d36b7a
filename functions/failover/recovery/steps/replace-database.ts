import { hours, minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep } from '../../../common/task.ts';
import { failoverExecution, latestExecution } from '../../leadership/execution-name.ts';
import { type Standing, standingOf } from '../../leadership/standing.ts';
import type { FailoverPlan } from '../../models.ts';
import { RecoveryRecord } from '../models.ts';
import { act, found, inPhase, notYet, releaseHold, wrong } from './recovery-step.ts';

/** Longer than the machine `failover` may run, its questions included. */
const limit = hours(8);

/**
 * The machine `failover` does the exchange, and asks people before it begins. A hold would stop it: this recovery's own goes first, or that of the containment that asked
 * for it, which puts its own back afterwards.
 */
export const startReplacement = defineStep({
  name: 'start-replacement',
  summary: 'Asks for the exchange of the damaged database; a human must approve it.',
  timeout: minutes(1),
  needs: ['coordination:read', 'coordination:hold', 'executions:move'],
  input: RecoveryRecord,
  async run(given, context) {
    const { executions, clock } = context;
    const record = inPhase(given, 'replace', clock.now());
    const plan = planOf(record);
    await releaseHold(context, record, record.request.under);
    const { ref } = await latestExecution(executions, plan);
    await act(context, record, { action: 'replace-database', resource: `epoch/${plan.epoch}`, details: { execution: ref.name } }, () =>
      executions.start({ ...ref, input: { plan } }),
    );
    return { ...found(record, 'replacing', `epoch ${plan.epoch} is asked for; a human must approve it`), execution: ref.name };
  },
});

export type Progress = 'goes-on' | 'leads' | 'ended';

/** Looks how far the exchange came. What the coordination record says counts, not how an execution ended. */
export async function replacementProgress(
  { execution }: Pick<RecoveryRecord, 'execution'>,
  plan: FailoverPlan,
  { coordination, executions }: Pick<PortsFor<'coordination:read' | 'executions:move'>, 'coordination' | 'executions'>,
): Promise<{ readonly progress: Progress; readonly standing: Standing }> {
  const standing = standingOf(await coordination.read(), plan);
  const { status } = await latestExecution(executions, plan);
  // Step Functions shows an execution some moments after it took it.
  const notShownYet = execution !== undefined && (await executions.describe({ ...failoverExecution(plan), name: execution })) === undefined;
  const runs = status === 'running' || notShownYet;
  if (standing === 'claimed' || standing === 'promoting') return { progress: 'goes-on', standing };
  if (standing === 'leads') return { progress: runs ? 'goes-on' : 'leads', standing };
  return { progress: standing === 'before' && runs ? 'goes-on' : 'ended', standing };
}

export const awaitReplacement = defineStep({
  name: 'await-replacement',
  summary: 'Looks whether the copy has taken the place of the damaged database.',
  timeout: minutes(1),
  needs: ['coordination:read', 'executions:move'],
  input: RecoveryRecord,
  async run(record, context) {
    const plan = planOf(record);
    const { progress, standing } = await replacementProgress(record, plan, context);
    const now = context.clock.now();
    switch (progress) {
      case 'leads':
        return { ...found(record, 'replaced', `the copy leads in epoch ${plan.epoch}`), replacedAt: record.replacedAt ?? timestamp(now) };
      case 'goes-on':
        return notYet(record, 'replacing', `epoch ${plan.epoch}: ${standing}`, { now, limit, tooLong: 'unclear' });
      case 'ended':
        return wrong(record, 'stopped', `the exchange was refused, given up or not answered: ${standing}`);
    }
  },
});

function planOf({ plan }: RecoveryRecord): FailoverPlan {
  if (!plan) throw new InvalidInput('the record of the recovery has no plan');
  return plan;
}
