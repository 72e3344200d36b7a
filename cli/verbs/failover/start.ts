import { audited } from '../../../functions/audit/audited.ts';
import { seconds } from '../../../functions/common/duration.ts';
import { InvalidInput, messageOf, ServiceUnavailable } from '../../../functions/common/errors.ts';
import { latestExecution } from '../../../functions/failover/leadership/execution-name.ts';
import { type Standing, standingOf } from '../../../functions/failover/leadership/standing.ts';
import type { FailoverPlan } from '../../../functions/failover/models.ts';
import type { ExecutionRef } from '../../../functions/maintenance/ports.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';
import { openQuestions } from './status.ts';

export const failoverStartPorts = ['auditLog', 'coordination', 'executions', 'replicas', 'reports'] as const;
type StartSession = Session<(typeof failoverStartPorts)[number]>;

export interface FailoverOutcome {
  readonly plan: FailoverPlan;
  readonly execution: ExecutionRef;
  /** How the machine ended, and where the plan stands. */
  readonly status: 'succeeded' | 'failed';
  readonly standing: Standing;
}

const poll = seconds(2);

/**
 * Starts the machine in the Region that shall lead, and follows it to its end. It goes on without whoever follows it.
 *
 * @throws InvalidInput when an execution of that epoch runs already @throws ServiceUnavailable when Step Functions does not take it
 */
export async function startFailover(session: StartSession, plan: FailoverPlan, operator: string, report: Report): Promise<FailoverOutcome> {
  const { ports, clock, region } = session;
  // A name counts once: after a question that expired or an abort before the claim, the same epoch is tried under the next.
  const { status, ref: execution } = await latestExecution(ports.executions, plan);
  if (status !== 'free') {
    const says =
      status === 'running' ? `${execution.name} runs already in ${execution.region}` : `every execution for epoch ${plan.epoch} failed`;
    throw new InvalidInput(says, { hint: 'See where it stands: codeblue failover status. docs/runbooks/FailoverStuck.md' });
  }
  const act = {
    actor: `cli/${operator}`,
    action: 'request-failover',
    resource: `epoch/${plan.epoch}`,
    details: { kind: plan.kind, from: plan.from, to: plan.to, reason: plan.reason },
  };
  report(`starting ${execution.name} in ${execution.region}`);
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.executions.start({ ...execution, input: { plan } }));
  for (;;) {
    const seen = await look(session, plan, execution, report);
    if (seen && seen.status !== 'running') return { plan, execution, ...seen, status: seen.status };
    await clock.sleep(poll * 1000);
  }
}

/** What cannot be read for a moment does not end the view: the machine goes on all the same. */
async function look(session: StartSession, plan: FailoverPlan, execution: ExecutionRef, report: Report) {
  const { executions, coordination } = session.ports;
  try {
    const [found, record] = await Promise.all([executions.describe(execution), coordination.read()]);
    const standing = standingOf(record, plan);
    if (!found || found.status === 'running') report(await stageOf(session, standing, plan));
    return found && { status: found.status, standing };
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) throw error;
    report(`${messageOf(error)}; ${execution.name} goes on, and is looked for again`);
    return undefined;
  }
}

async function stageOf(session: StartSession, standing: Standing, plan: FailoverPlan): Promise<string> {
  const question = (await openQuestions(session)).find((each) => each.question.plan.epoch === plan.epoch);
  if (question) return `"${question.question.question}" waits for somebody else: codeblue failover approve ${question.hash.slice(0, 16)}`;
  const stages: Record<Standing, string> = {
    before: 'looking whether the plan fits',
    claimed: `waiting until ${plan.from} can write no more, and measuring what would be lost`,
    promoting: `beyond the point of no return: promoting ${plan.to}`,
    leads: `${plan.to} leads: traffic, strength and canaries`,
    'rolled-back': `given back: ${plan.from} leads`,
    elsewhere: 'somebody else moved',
  };
  return stages[standing];
}

export function renderFailoverOutcome({ plan, execution, status, standing }: FailoverOutcome): string {
  const report = `codeblue failover report ${plan.epoch}`;
  if (status === 'succeeded' && standing === 'leads') return `${plan.to} leads in epoch ${plan.epoch}. The figures: ${report}`;
  if (status === 'succeeded') return `Nothing was done: the plan was not called for any more. See codeblue failover status`;
  const stands: Record<Standing, string> = {
    before: `${plan.from} still leads; nothing was changed.`,
    claimed: `epoch ${plan.epoch} is still claimed; the observers start the machine again. See docs/runbooks/FailoverStuck.md`,
    promoting: `${plan.to} is being promoted and is not open yet: a human is needed. See docs/runbooks/FailoverStuck.md`,
    leads: `${plan.to} leads, but something after that failed. ${report}`,
    'rolled-back': `${plan.from} leads again; nothing was promoted.`,
    elsewhere: 'Somebody else moved the lead meanwhile.',
  };
  return `${execution.name} did not succeed: ${stands[standing]}\nThe last states of execution ${execution.name} in ${execution.region} say why.`;
}
