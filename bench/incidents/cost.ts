import { type CostLine, price } from '../aws-paper/cost.ts';

/** List prices of us-east-1 in US dollars besides those of bench/aws-paper, from the pricing pages of each service, November 2026; free tiers are left out. */
const prices = {
  ...price,
  compositeAlarmMonth: 0.5,
  dashboardMonth: 3,
  sqsRequest: 0.4 / 1e6,
  stateTransition: 25 / 1e6,
  kmsKeyMonth: 1,
  kmsRequest: 0.03 / 10_000,
  snsEmail: 2 / 100_000,
  /** To a number in the US, the carrier's fee included; our assumption: both change. */
  snsSms: 0.0115,
} as const;

/**
 * PagerDuty's list prices by user and month when billed yearly, as pagerduty.com/pricing showed them in 2025. No later page was at hand: look before quoting them.
 */
export const seatPrice = [
  { plan: 'Professional', dollars: 21 },
  { plan: 'Business', dollars: 41 },
] as const;

/** Resources of a deployment over all Regions, as the templates have them. */
export interface Counted {
  readonly regions: number;
  readonly alarms: number;
  readonly composites: number;
  readonly dashboards: number;
  /** Those that a function takes messages from. */
  readonly polledQueues: number;
  readonly keys: number;
  readonly people: number;
}

const monthSeconds = 730 * 3600;
const monthMinutes = monthSeconds / 60;
const millions = (count: number): string => `${(count / 1e6).toFixed(1)} million`;

/** An event source looks at its queue with five long polls of 20 s side by side (Lambda Developer Guide, "Using Lambda with Amazon SQS"). */
const polls = { sideBySide: 5, seconds: 20 } as const;
/** `audit-pager` and `release-held-alarms`, each minute in each Region. Our assumption of how long a run takes with nothing open. */
const minuteTasks = { count: 2, seconds: 0.15, gigabytes: 0.375 } as const;
/** A line of the ledger when a run begins and one when it ends, in three replicas; what the two tasks read: our assumption. */
const ledger = { writes: 2, replicas: 3, reads: 6 } as const;
/** Series that the alarms on the pager itself look at, in each Region. */
const seriesEach = 6;

/** A month in which nothing rings. */
export function idleCost({ regions, alarms, composites, dashboards, polledQueues, keys }: Counted): readonly CostLine[] {
  const polled = polledQueues * polls.sideBySide * (monthSeconds / polls.seconds);
  const runs = monthMinutes * minuteTasks.count * regions;
  const reads = runs * ledger.reads;
  return [
    { what: 'alarms of the whole table', much: `${alarms}`, dollars: alarms * prices.alarmMonth },
    { what: 'composite alarms', much: `${composites}`, dollars: composites * prices.compositeAlarmMonth },
    { what: 'dashboards', much: `${dashboards}`, dollars: dashboards * prices.dashboardMonth },
    { what: 'queues, polled', much: `${millions(polled)} requests on ${polledQueues} queues`, dollars: polled * prices.sqsRequest },
    { what: 'keys', much: `${keys}`, dollars: keys * prices.kmsKeyMonth },
    {
      what: 'tasks of each minute',
      much: `${millions(runs)} runs of ${minuteTasks.seconds * 1000} ms`,
      dollars:
        runs *
        (minuteTasks.seconds * minuteTasks.gigabytes * prices.lambdaGigabyteSecond + prices.lambdaRequest + prices.schedulerInvocation),
    },
    {
      what: 'their ledger, reads and traces',
      much: `${millions(runs * ledger.writes)} writes in three replicas, ${millions(reads)} reads`,
      dollars: runs * (ledger.writes * ledger.replicas * prices.replicatedWriteUnit + prices.xrayTrace) + reads * prices.readUnit,
    },
    { what: 'metrics', much: `${seriesEach * regions} series`, dollars: seriesEach * regions * prices.metricMonth },
  ];
}

/** As in the measurement above: 100 of 10 000 events are services that go down. Batches in a storm are full; sizes of items are our assumption. */
const events = 10_000;
const opened = 100;
const batch = { size: 50, seconds: 0.6, gigabytes: 1 } as const;
const units = { signal: 2, alarm: 3, incident: 4, timeline: 1, page: 1 } as const;
/** Told, told again after five minutes, then answered: looks of the machine, each of four transitions and two steps. */
const looks = 6;
const step = { seconds: 0.12, gigabytes: 0.5 } as const;
const pagesEach = 2;

export function perTenThousand(): readonly CostLine[] {
  const batches = events / batch.size;
  const requests = events + 2 * batches;
  const writes =
    events * (units.signal + units.alarm) + batches * units.incident * 2 + opened * (10 * units.timeline + pagesEach * 4 * units.page);
  const reads = events * 2 + batches * 100;
  const steps = opened * looks * 2;
  return [
    { what: 'queues', much: `${requests.toLocaleString('en-US')} requests`, dollars: requests * prices.sqsRequest },
    {
      what: 'triage',
      much: `${batches} batches of ${batch.size}, ${batch.seconds * 1000} ms`,
      dollars: batches * (batch.seconds * batch.gigabytes * prices.lambdaGigabyteSecond + prices.lambdaRequest),
    },
    {
      what: 'table, writes',
      much: `${writes.toLocaleString('en-US')} units in three replicas`,
      dollars: writes * 3 * prices.replicatedWriteUnit,
    },
    { what: 'table, reads', much: `${reads.toLocaleString('en-US')}, strongly consistent`, dollars: reads * prices.readUnit },
    {
      what: 'escalation',
      much: `${(opened * looks * 4).toLocaleString('en-US')} transitions, ${steps.toLocaleString('en-US')} steps`,
      dollars:
        opened * looks * 4 * prices.stateTransition +
        steps * (step.seconds * step.gigabytes * prices.lambdaGigabyteSecond + prices.lambdaRequest),
    },
    {
      what: 'pages',
      much: `${opened * pagesEach} by e-mail and by SMS each, links signed`,
      dollars: opened * pagesEach * (prices.snsEmail + prices.snsSms + prices.kmsRequest),
    },
  ];
}
