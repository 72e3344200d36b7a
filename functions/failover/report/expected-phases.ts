import { formatSeconds } from '../../common/duration.ts';
import type { Database, Operations } from '../../common/operations.ts';
import type { FailoverPlan } from '../models.ts';
import type { PhaseName } from './phases.ts';

/** How long one phase will take, and where the figure comes from. */
export interface ExpectedPhase {
  readonly expectedSeconds: number;
  readonly worstSeconds: number;
  readonly because: string;
}

type Policy = Pick<Operations, 'databases' | 'failover'>;
type Kind = Pick<FailoverPlan, 'kind' | 'needsApproval'>;

/**
 * Our assumptions where AWS promises nothing; reports of earlier changes replace them.
 *
 * RDS: the instance is rebooted, and "the promotion process can take several minutes or longer to complete, depending on the size of the read replica" (RDS User
 * Guide, "Promoting a read replica to be a standalone DB instance"). Aurora: "RTO can be in the order of minutes" (Aurora User Guide, "Using switchover or failover in Amazon Aurora Global Database").
 */
const promotion: Record<Database['engine'], ExpectedPhase> = {
  'rds-postgres': {
    expectedSeconds: 300,
    worstSeconds: 900,
    because: 'an RDS replica is promoted and rebooted: "several minutes or longer"',
  },
  'aurora-postgres': { expectedSeconds: 120, worstSeconds: 600, because: 'an Aurora global cluster moves "in the order of minutes"' },
};

/**
 * Route 53 asks every 10 s, and two answers turn a health check (lib/failover); an alias record to a load balancer lives for 60 s (Route 53 Developer
 * Guide, "Choosing between alias and non-alias records").
 */
const healthCheckSeconds = 2 * 10;
const recordLifeSeconds = 60;
/** One step of the machine: starting the function, reading and writing. Our assumption, about twice of what a warm one takes. */
const stepSeconds = 1;
/** Tasks that pull an image, instances that boot: our assumption. */
const start = { expectedSeconds: 120, worstSeconds: 600 };

/** What the policy's numbers say of each phase. */
export function expectedPhases(policy: Policy, kind: Kind): Record<PhaseName, ExpectedPhase> {
  const promote = slowestPromotion(policy);
  const traffic = {
    expectedSeconds: healthCheckSeconds + recordLifeSeconds / 2,
    worstSeconds: healthCheckSeconds + recordLifeSeconds,
    because: 'health checks every 10 s, two answers turn one; answers of the name service live for 60 s',
  };
  // Services are asked for with the promotion, and start while the rest goes on.
  const meanwhile = promote.expectedSeconds + traffic.expectedSeconds;
  return {
    notice: notice(policy, kind),
    decide: decide(policy, kind),
    fence: fence(policy, kind),
    measure: measure(kind),
    promote,
    open: {
      expectedSeconds: 3 * stepSeconds,
      worstSeconds: 30,
      because: 'where it begins is noted, the record and the leases are written',
    },
    confirm: { expectedSeconds: 2 * stepSeconds, worstSeconds: 30, because: 'a canary is written into each database' },
    traffic,
    strength: {
      expectedSeconds: Math.max(0, start.expectedSeconds - meanwhile),
      worstSeconds: Math.max(0, start.worstSeconds - meanwhile),
      because: `services start in ${formatSeconds(start.expectedSeconds)} to ${formatSeconds(start.worstSeconds)}, counted from the promotion`,
    },
  };
}

/** The databases are promoted side by side. */
function slowestPromotion({ databases }: Policy): ExpectedPhase {
  const all = databases.map(({ engine }) => promotion[engine]).sort((a, b) => b.worstSeconds - a.worstSeconds);
  return all[0] ?? { expectedSeconds: 0, worstSeconds: 0, because: 'there is no database' };
}

/** From the first failed probe to the decision. */
const noticed = ({ failover: { observe } }: Policy): number => (observe.failuresToTrip - 1) * observe.every + observe.dwell;

function notice(policy: Policy, { kind }: Kind): ExpectedPhase {
  const { observe } = policy.failover;
  if (kind === 'switchover') return { expectedSeconds: 0, worstSeconds: 0, because: 'planned: nothing is out' };
  const expectedSeconds = noticed(policy);
  return {
    expectedSeconds,
    worstSeconds: expectedSeconds + 2 * (observe.every + observe.timeout),
    because: `${observe.failuresToTrip} failed probes ${formatSeconds(observe.every)} apart, and agreed for ${formatSeconds(observe.dwell)}`,
  };
}

function decide({ failover: { approvals } }: Policy, { needsApproval }: Kind): ExpectedPhase {
  if (!needsApproval) return { expectedSeconds: stepSeconds, worstSeconds: 10 * stepSeconds, because: 'nobody is asked' };
  return {
    expectedSeconds: approvals.expireAfter / 2,
    worstSeconds: approvals.expireAfter,
    because: `a human answers, or the question expires after ${formatSeconds(approvals.expireAfter)}`,
  };
}

function fence(policy: Policy, { kind }: Kind): ExpectedPhase {
  const { length, margin, renewEvery } = policy.failover.lease;
  const worstSeconds = length + margin + 5 * stepSeconds;
  if (kind === 'switchover') {
    const because = `the guardian of the old primary looks every ${formatSeconds(renewEvery)}, closes and says so`;
    return { expectedSeconds: renewEvery + stepSeconds, worstSeconds, because };
  }
  return {
    // A Region that is gone renewed nothing while it was being noticed.
    expectedSeconds: Math.max(0, length + margin - noticed(policy)) + stepSeconds,
    worstSeconds,
    because: `a lease lasts ${formatSeconds(length)}, the margin is ${formatSeconds(margin)}; what passed while it was noticed counts`,
  };
}

const measure = ({ kind }: Kind): ExpectedPhase =>
  kind === 'switchover'
    ? { expectedSeconds: 2 * stepSeconds, worstSeconds: 60, because: 'the replica must show the closing mark, within 60 s' }
    : { expectedSeconds: 2 * stepSeconds, worstSeconds: 15, because: 'one look at the replica' };
