import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { measureDecisions } from './incidents/decisions.ts';
import { benchOperations } from './incidents/deployment.ts';
import { type Latencies, type Load, measureLoad } from './incidents/load.ts';
import { printIncidentCost } from './incidents/paper.ts';

/**
 * From an event to a page that the channel has taken: the deployed consumers, machine and steps, over queues with the semantics of SQS and stores in memory. Then decisions of triage a second on
 * one core, and what a month costs, on paper.
 *
 *     node bench/incidents.ts [--seconds 60] [--rounds 7]
 *
 * What AWS adds is not in it: a delivery by EventBridge and SQS, starting an execution, each step's call of Lambda, and the channel's own time.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, rounds: { type: 'string', default: '7' } } });
const objectiveMs = 5_000;
const seconds = Number(values.seconds);
const loads: readonly Load[] = [
  { perMinute: 100, seconds, oneIn: 1 },
  { perMinute: 1_000, seconds, oneIn: 10 },
  { perMinute: 10_000, seconds, oneIn: 100 },
];

const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
const milliseconds = (value: number): string => `${Math.round(value)} ms`;
const newTable = (head: string[]) => new Table({ head, style: { head: [], border: [], compact: true } });

const operations = benchOperations();
const table = newTable(['events a minute', 'events', 'pages', 'severity 1: p50', 'p99', 'severity 2: p50', 'p99', 'lost', 'p99 under 5 s']);
let met = true;
for (const load of loads) {
  const found = await measureLoad(operations, load);
  const holds = isMet(found);
  met &&= holds;
  table.push([
    String(load.perMinute),
    String(found.events),
    String(found.urgent.length + found.others.length),
    ...[found.urgent, found.others].flatMap((each) => [milliseconds(percentile(each, 0.5)), milliseconds(percentile(each, 0.99))]),
    `${found.lost} events, ${found.unpaged} pages`,
    holds ? 'yes' : 'NO',
  ]);
}
console.log(
  `From the event to the page that the channel took; ${seconds} s at each rate, the consumer's window of 1 s for severities 2 to 4 included`,
);
console.log(table.toString());

const rates = measureDecisions(operations, Number(values.rounds));
const decisions = newTable(['on one core', 'events a second', 'of parsing and hashing']);
for (const [what, rate] of [
  ['JSON.parse and SHA-256 of the same events', rates.parseAndHash],
  ['event to signal: schema, config, dedup key', rates.toSignal],
  ['triage: batches of 100, 50 incidents open', rates.decide],
] as const) {
  decisions.push([what, Math.round(rate).toLocaleString('en-US'), `${((100 * rate) / rates.parseAndHash).toFixed(0)} %`]);
}
console.log(`\n${decisions.toString()}`);
printIncidentCost();
process.exit(met ? 0 : 1);

function isMet({ urgent, others, lost, unpaged }: Latencies): boolean {
  return lost === 0 && unpaged === 0 && [urgent, others].every((each) => percentile(each, 0.99) < objectiveMs);
}
