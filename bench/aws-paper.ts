import Table from 'cli-table3';
import operations from '../config/examples/hms.ts';
import { formatSeconds } from '../functions/common/duration.ts';

/**
 * What failover costs a month on AWS, on paper: arithmetic over list prices, nothing is called.
 *
 *     node bench/aws-paper.ts
 *
 * List prices of us-east-1 in US dollars as published in November 2026; Regions differ by a few per cent, and free tiers are left out.
 */
const price = {
  /** Lambda on arm64, per GB-second; the first tier. */
  lambdaGigabyteSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  /** DynamoDB on demand: a replicated write of up to 1 KB, charged in each replica; strongly consistent reads of up to 4 KB. */
  replicatedWriteUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  /** Route 53 health check of an endpoint outside AWS's own load balancers, and each option of it: HTTPS, 10 s interval. */
  healthCheck: 0.75,
  healthCheckOption: 2,
  /** EventBridge Scheduler, per invocation. */
  schedulerInvocation: 1 / 1e6,
  /** ARC: a cluster of routing controls, per hour; a plan of Region switch, per month. */
  arcClusterHour: 2.5,
  arcRegionSwitchPlanMonth: 70,
} as const;

const monthSeconds = 730 * 3600;
/** Runs of the guardian and of the observer: started every minute, each outlasting the next start (functions/failover/tick-loop.ts). */
const loops = { startedEverySeconds: 60, runSeconds: 130, gigabytes: 0.25 } as const;
/** Health checkers of Route 53 that ask one endpoint, each at the interval. */
const checkers = { count: 16, intervalSeconds: 10, answerSeconds: 0.02, gigabytes: 0.25 } as const;

const { lease, observe } = operations.failover;
const perMonth = (everySeconds: number): number => monthSeconds / everySeconds;
const loopCost = (regions: number): number => {
  const starts = perMonth(loops.startedEverySeconds) * regions;
  return starts * (loops.runSeconds * loops.gigabytes * price.lambdaGigabyteSecond + price.lambdaRequest + price.schedulerInvocation);
};
/** Runs overlap: so many are at work in a Region at any time. */
const atWork = loops.runSeconds / loops.startedEverySeconds;

const renewals = perMonth(lease.renewEvery) * 2 * atWork;
const votes = perMonth(observe.every) * 3;
/** A read of the record per tick, and of three votes by whoever decides. */
const reads = renewals + votes * 4;
const healthChecks = 2 * (price.healthCheck + 2 * price.healthCheckOption);
const healthAnswers = perMonth(checkers.intervalSeconds) * checkers.count * 2;

const lines: readonly (readonly [string, string, number])[] = [
  ['guardians in two Regions', `${formatSeconds(loops.runSeconds)} each minute, ${loops.gigabytes * 1024} MB`, loopCost(2)],
  ['observers in three Regions', `${formatSeconds(loops.runSeconds)} each minute, ${loops.gigabytes * 1024} MB`, loopCost(3)],
  [
    'coordination table, writes',
    `${Math.round((renewals + votes) / 1e6)} million in two replicas`,
    (renewals + votes) * 2 * price.replicatedWriteUnit,
  ],
  ['coordination table, reads', `${Math.round(reads / 1e6)} million, strongly consistent`, reads * price.readUnit],
  ['Route 53 health checks', '2, HTTPS, every 10 s', healthChecks],
  [
    'lease endpoint, answers',
    `${Math.round(healthAnswers / 1e6)} million of ${checkers.answerSeconds * 1000} ms`,
    healthAnswers * (checkers.answerSeconds * checkers.gigabytes * price.lambdaGigabyteSecond + price.lambdaRequest),
  ],
];
const total = lines.reduce((sum, [, , cost]) => sum + cost, 0);
const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

const table = new Table({ head: ['what', 'how much', 'a month'], style: { head: [], border: [] }, colAligns: ['left', 'left', 'right'] });
for (const [what, much, cost] of lines) table.push([what, much, dollars(cost)]);
table.push(['Codeblue, all of it', '', dollars(total)]);
table.push([
  'ARC routing controls, one cluster',
  `${dollars(price.arcClusterHour)} an hour, without health checks`,
  dollars(price.arcClusterHour * 730),
]);
table.push(['ARC Region switch, one plan', 'moves no data and fences no database', dollars(price.arcRegionSwitchPlanMonth)]);
console.log(table.toString());
console.log(`Codeblue costs ${((100 * total) / (price.arcClusterHour * 730)).toFixed(0)} % of one ARC cluster.`);
