import { formatSeconds } from '../../../functions/common/duration.ts';
import { InvalidInput, messageOf } from '../../../functions/common/errors.ts';
import { Region } from '../../../functions/common/ids.ts';
import { candidateRegions } from '../../../functions/failover/leadership/candidates.ts';
import { planFailover } from '../../../functions/failover/leadership/plan.ts';
import { stopSign } from '../../../functions/failover/leadership/stop-sign.ts';
import type { CoordinationRecord, FailoverPlan } from '../../../functions/failover/models.ts';
import type { Replicas } from '../../../functions/failover/ports.ts';
import { type Forecast, forecast, type RecoveryForecast } from '../../../functions/failover/report/forecast.ts';
import type { Session } from '../../session.ts';
import { earlierReports } from './report.ts';

export const failoverPlanPorts = ['coordination', 'replicas', 'reports'] as const;
type PlanSession = Session<(typeof failoverPlanPorts)[number]>;

export interface WantedFailover {
  /** The only other Region that can lead when left out. */
  readonly to?: string;
  /** Both Regions are well, and nothing may be lost. */
  readonly planned: boolean;
  readonly reason: string;
  readonly requestedBy: string;
}

export interface PlannedFailover {
  readonly plan: FailoverPlan;
  readonly forecast: Forecast;
  /** What happens, in order. */
  readonly steps: readonly string[];
  readonly approvers: readonly string[];
  /** What could not be found out; the machine looks again before it begins. */
  readonly warnings: readonly string[];
}

/** The plan that `failover start` would begin, and how long it would take. Changes nothing. @throws InvalidInput with the reason when there can be none */
export async function planWantedFailover(session: PlanSession, wanted: WantedFailover): Promise<PlannedFailover> {
  const { ports, operations, clock, region } = session;
  const record = await ports.coordination.read();
  const held = await stopSign({ coordination: ports.coordination, clock });
  if (held !== undefined) throw new InvalidInput(held, { hint: 'When it is right to move all the same: codeblue failover release' });
  const { mode, approvals } = operations.failover;
  const planned = planFailover({
    operations,
    record,
    kind: wanted.planned ? 'switchover' : 'failover',
    to: targetOf(session, record, wanted.to),
    requestedBy: wanted.requestedBy,
    reason: wanted.reason,
    now: clock.now(),
    needsApproval: mode !== 'automatic' || wanted.planned,
  });
  if (planned.kind === 'refused') {
    throw new InvalidInput(planned.because, { hint: 'See what stands in the way: codeblue failover status' });
  }
  const { plan } = planned;
  const [warnings, earlier] = await Promise.all([
    lookAtReplicas(ports.replicas, plan),
    earlierReports(ports.reports, region).catch(() => []),
  ]);
  return { plan, forecast: forecast(operations, plan, earlier), steps: stepsOf(plan), approvers: approvals.by, warnings };
}

/** What the machine would refuse as its first step is refused before anybody is asked. @throws InvalidInput naming the database */
async function lookAtReplicas(replicas: Replicas, { databases, to }: FailoverPlan): Promise<readonly string[]> {
  const looks = await Promise.all(
    databases.map(async ({ databaseId }) => {
      try {
        return await replicas.describe(databaseId, to);
      } catch (error) {
        return `the replica of ${databaseId} in ${to} could not be looked at: ${messageOf(error)}`;
      }
    }),
  );
  const unfit = looks.flatMap((look) =>
    typeof look !== 'string' && (look.role !== 'replica' || look.status !== 'available') ? [look] : [],
  );
  if (unfit.length === 0) return looks.filter((look) => typeof look === 'string');
  const which = unfit.map(({ databaseId, role, says }) => `${databaseId} there is ${role} (${says})`).join(', ');
  throw new InvalidInput(`${to} has no replica that could be promoted: ${which}`, {
    hint: 'After a failover the old Region is made a replica again by: codeblue failover back --no-hand-over',
  });
}

function targetOf({ operations }: PlanSession, record: CoordinationRecord | undefined, to: string | undefined): Region {
  const candidates = candidateRegions(operations);
  if (to !== undefined) {
    const found = Region.safeParse(to).data;
    if (found && candidates.includes(found)) return found;
    throw new InvalidInput(`${to} cannot lead`, {
      hint: `These can: ${candidates.join(', ') || 'none, since no Region has a replica of every database'}.`,
    });
  }
  const other = candidates.find((region) => region !== (record?.holder ?? operations.regions.primary));
  if (other) return other;
  throw new InvalidInput('there is no other Region that could lead', { hint: 'Give every database a replica in one other Region.' });
}

function stepsOf({ kind, from, to, needsApproval, databases, epoch }: FailoverPlan): readonly string[] {
  const names = databases.map(({ databaseId }) => databaseId).join(', ');
  return [
    ...(needsApproval ? ['a human agrees: codeblue failover approve <question>'] : []),
    `epoch ${epoch} is claimed: nobody renews the lease of ${from} any more`,
    kind === 'switchover'
      ? `the guardian in ${from} closes ${names} and says so; ${to} must show the closing mark, so nothing is lost`
      : `the lease of ${from} runs out, or its guardian says that it is closed; the loss is measured, and a human is asked when it is over the budget`,
    'POINT OF NO RETURN: until here it can be stopped with codeblue failover abort',
    `${names} is promoted in ${to}, services there are scaled up, the lease is given to ${to}`,
    'traffic follows the lease; canaries are written and counted; people are told; the report is stored',
  ];
}

export function renderPlannedFailover({ plan, forecast: times, steps, approvers, warnings }: PlannedFailover): string {
  const budgets = plan.databases.map(({ databaseId, lossBudgetSeconds }) => `${databaseId} ${formatSeconds(lossBudgetSeconds)}`).join(', ');
  const width = Math.max(...times.phases.map(({ phase }) => phase.length));
  return [
    `${plan.kind === 'switchover' ? 'Planned change' : 'Failover'} of the lead from ${plan.from} to ${plan.to}, epoch ${plan.epoch}`,
    `  reason    ${plan.reason}`,
    `  may lose  ${budgets}`,
    `  approval  ${plan.needsApproval ? `wanted, by somebody else of: ${approvers.join(', ') || 'nobody is listed in failover.approvals.by'}` : 'not wanted'}`,
    ...warnings.map((says) => `  careful   ${says}`),
    '',
    'What happens',
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
    '',
    'How long it takes (expected, at worst)',
    ...times.phases.map(
      ({ phase, expectedSeconds, worstSeconds, because }) =>
        `  ${phase.padEnd(width)}  ${formatSeconds(expectedSeconds).padStart(12)}  ${formatSeconds(worstSeconds).padStart(12)}  ${because}`,
    ),
    '',
    `  database writes again after     ${recovery(times.database)}`,
    `  critical services answer after  ${recovery(times.criticalServices)}`,
    `  full strength after             ${recovery(times.full)}`,
  ].join('\n');
}

const recovery = ({ expectedSeconds, worstSeconds, objectiveSeconds }: RecoveryForecast): string =>
  `${formatSeconds(expectedSeconds)}, at worst ${formatSeconds(worstSeconds)}; the objective is ${formatSeconds(objectiveSeconds)}${
    expectedSeconds > objectiveSeconds ? ': NOT KEPT' : worstSeconds > objectiveSeconds ? ': not kept at worst' : ''
  }`;
