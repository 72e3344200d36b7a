import type { Operations } from '../../functions/common/operations.ts';

/**
 * List prices of us-east-1 in US dollars, as published in November 2026 on the pricing pages of each service; other Regions differ by a few per cent, and
 * free tiers are left out.
 */
export const price = {
  /** Lambda on arm64, per GB-second; the first tier. */
  lambdaGigabyteSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  schedulerInvocation: 1 / 1e6,
  xrayTrace: 5 / 1e6,
  /** DynamoDB on demand: a replicated write of up to 1 KB, charged in each replica; a strongly consistent read of up to 4 KB. */
  replicatedWriteUnit: 0.625 / 1e6,
  readUnit: 0.125 / 1e6,
  logGigabyte: 0.5,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  compositeAlarmMonth: 0.5,
  /** Route 53 health check of an endpoint outside AWS, and each option of it: HTTPS, 10 s interval. Lambda's function URLs may count as inside: $0.50 and $1. */
  healthCheck: 0.75,
  healthCheckOption: 2,
  /** ARC: a cluster of routing controls, per hour; a plan of Region switch, per month. */
  arcClusterHour: 2.5,
  arcRegionSwitchPlanMonth: 70,
} as const;

export interface CostLine {
  readonly what: string;
  readonly much: string;
  readonly dollars: number;
}

const monthSeconds = 730 * 3600;
const monthMinutes = monthSeconds / 60;
const perMonth = (everySeconds: number): number => monthSeconds / everySeconds;
const millions = (count: number): string => `${(count / 1e6).toFixed(1)} million`;

/** `memoryMegabytes` of guard-lease, observe-regions, keep-fence-complete, and of the lease endpoint. */
const gigabytes = 0.25;
/** A run could last 130 s (functions/failover/repeatedly.ts), but stops when it finds that the next minute's run has begun: a tick or two after that. */
const ticksOfOverlap = 2;
/** Seconds that a run of keep-fence-complete takes where it leads: our assumption. */
const fencingSeconds = 2;
/** Route 53: "each of your servers will receive 60 to 70 checks per minute" at 10 s (AWS News Blog, "Route 53 Health Check Improvements"). */
const checksEachMinute = 70;
/** An answer of the lease endpoint out of memory: our assumption. Each of its processes reads the record once in two seconds at most. */
const answerSeconds = 0.02;
const endpointReads = { everySeconds: 2, processes: 2 } as const;
/** Lines of CloudWatch's embedded metric format, with what Logs adds to each: measured on one of each. */
const metricLineBytes = 230 + 26;
const metricLines = { guardian: 3, observer: 6 } as const;
/** Series of its own: six of each observer, one on the leading Region of the two others, two more of each guardian, one of each task in each Region where it runs. */
const metricSeries = 6 * 3 + 2 + 2 * 2 + (2 + 3 + 2);
/** A vote on the region, its databases and services, with positions: above 1 KB with five services, so two units. */
const voteUnits = 2;
const replicas = { coordination: 2, ledger: 3 } as const;

/**
 * What failover costs a month, on top of the databases. A conditional write that fails is charged as one that succeeds, so it does not matter which
 * of two guardians wins where they meet.
 *
 * @param alarms that failover adds to a deployment, as the templates count them
 */
export function failoverCost(
  { failover: { lease, observe, services }, databases }: Pick<Operations, 'failover' | 'databases'>,
  alarms: { readonly onMetrics: number; readonly composite: number },
): readonly CostLine[] {
  const atWork = (everySeconds: number): number => (60 + ticksOfOverlap * everySeconds) / 60;
  const ticks = {
    guardians: perMonth(lease.renewEvery) * 2 * atWork(lease.renewEvery),
    observers: perMonth(observe.every) * 3 * atWork(observe.every),
  };
  const runs = { guardians: monthMinutes * 2, observers: monthMinutes * 3, fencing: monthMinutes * 2 };
  const allRuns = runs.guardians + runs.observers + runs.fencing;
  const seconds = (everySeconds: number, regions: number): number => monthSeconds * regions * atWork(everySeconds);
  const computing = (busySeconds: number, started: number): number =>
    busySeconds * gigabytes * price.lambdaGigabyteSecond + started * (price.lambdaRequest + price.schedulerInvocation);
  const writes = ticks.guardians + ticks.observers * voteUnits;
  const checks = checksEachMinute * monthMinutes * 2;
  const endpoint = perMonth(endpointReads.everySeconds) * endpointReads.processes * 2;
  const reads = ticks.guardians + ticks.observers * (1 + 3) + endpoint;
  // Of a third of the observers, the leading Region's, a line for each service and database; of the others one on the Region.
  const seen = services.length + databases.length;
  const lines = ticks.guardians * metricLines.guardian + ticks.observers * (metricLines.observer + (seen + 2) / 3);
  const series = metricSeries + seen;
  return [
    {
      what: 'guardians in two Regions',
      much: `all the time, ${gigabytes * 1024} MB`,
      dollars: computing(seconds(lease.renewEvery, 2), runs.guardians),
    },
    {
      what: 'observers in three Regions',
      much: `all the time, ${gigabytes * 1024} MB`,
      dollars: computing(seconds(observe.every, 3), runs.observers),
    },
    {
      what: 'fence kept complete',
      much: `${fencingSeconds} s each minute`,
      dollars: computing((runs.fencing / 2) * fencingSeconds, runs.fencing),
    },
    {
      what: 'coordination table, writes',
      much: `${millions(writes)} units in two replicas`,
      dollars: writes * replicas.coordination * price.replicatedWriteUnit,
    },
    { what: 'coordination table, reads', much: `${millions(reads)}, strongly consistent`, dollars: reads * price.readUnit },
    {
      what: 'ledger and traces of the runs',
      much: `${millions(allRuns)} runs`,
      dollars: allRuns * (2 * replicas.ledger * price.replicatedWriteUnit + price.xrayTrace),
    },
    {
      what: 'metrics, as lines of logs',
      much: `${((lines * metricLineBytes) / 1e9).toFixed(1)} GB, ${series} series`,
      dollars: ((lines * metricLineBytes) / 1e9) * price.logGigabyte + series * price.metricMonth,
    },
    {
      what: 'alarms',
      much: `${alarms.onMetrics}, and ${alarms.composite} composites`,
      dollars: alarms.onMetrics * price.alarmMonth + alarms.composite * price.compositeAlarmMonth,
    },
    { what: 'Route 53 health checks', much: '2, HTTPS, every 10 s', dollars: 2 * (price.healthCheck + 2 * price.healthCheckOption) },
    {
      what: 'lease endpoint, answers',
      much: `${millions(checks)} of ${answerSeconds * 1000} ms`,
      dollars: checks * (answerSeconds * gigabytes * price.lambdaGigabyteSecond + price.lambdaRequest),
    },
  ];
}
