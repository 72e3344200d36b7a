/**
 * The audit log on AWS, on paper: what a million events of 1 KB cost and which limit is met when, beside what Tessera chose (Aurora and S3). Arithmetic over items that the adapters make;
 * nothing is called.
 *
 *     node bench/audit-paper.ts
 */
import { randomBytes } from 'node:crypto';
import Table from 'cli-table3';
import { acceptEvents } from '../functions/audit/events/accept.ts';
import { recordedEvent } from '../functions/audit/events/recorded.ts';
import { itemOf } from '../functions/aws/audit/event-items.ts';
import { Region, timestamp } from '../functions/common/ids.ts';
import { auditTableIndexes } from '../functions/common/names.ts';
import { hospitalEvent } from '../lab/audit/hospital-events.ts';
import { labOperations } from '../lab/operations.ts';
import { auroraLines, costLines, type EventSizes, keptMonthly, limits, type Rate } from './audit/cost.ts';

const now = new Date('2026-11-22T07:00:00Z');
const operations = labOperations('hms', []);
const region = Region.parse(operations.regions.primary);
const { accepted } = acceptEvents(JSON.parse(JSON.stringify(hospitalEvent(1, 1, now))), {
  policy: operations.audit,
  now,
  submittedBy: 'arn:aws:sts::111122223333:assumed-role/records/i-0123456789abcdef0',
});
const [first] = accepted;
if (!first) throw new TypeError('the event is a good one');
const event = recordedEvent({ body: first.body, region, recordedAt: timestamp(now), salt: randomBytes(32) });
const item = itemOf(event, now);
const bytesOf = (value: Readonly<Record<string, unknown>>): number =>
  Object.entries(value).reduce((sum, [name, each]) => sum + Buffer.byteLength(name) + Buffer.byteLength(String(each)), 0);
const sizes: EventSizes = {
  itemBytes: bytesOf(item),
  leafBytes: Buffer.byteLength(event.leaf),
  queueBytes:
    Buffer.byteLength(event.leaf) +
    bytesOf({ pk: `event#${event.eventId}`, recordedAt: event.recordedAt, updatedAt: event.recordedAt, generation: 1, index: 1e6 }),
  indexes: Object.values(auditTableIndexes).filter(({ partition }) => item[partition] !== undefined).length,
  regions: 3,
};

const dollars = (amount: number): string => `$${amount.toFixed(2)}`;
const rates: readonly Rate[] = [{ perSecond: 1_500 }, { perSecond: 10 }];
const newTable = (head: string[]) => new Table({ head, style: { head: [], border: [], compact: true } });

const table = newTable(['a million events of 1 KB', 'at 1 500 a second', 'at 10 a second', 'how']);
const columns = rates.map((rate) => costLines(sizes, rate));
for (const [index, line] of (columns[0] ?? []).entries())
  table.push([line.what, dollars(line.dollars), dollars(columns[1]?.[index]?.dollars ?? 0), line.how]);
const totals = columns.map((lines) => lines.reduce((sum, line) => sum + line.dollars, 0));
table.push(['together', ...totals.map(dollars), 'and what is kept: see below']);
console.log(
  `An event is an item of ${sizes.itemBytes} bytes in ${sizes.indexes} indexes of the audit table, in ${sizes.regions} Regions; its leaf has ${sizes.leafBytes} bytes`,
);
console.log(table.toString());
const { dynamo, s3 } = keptMonthly(sizes);
console.log(
  `Kept, a month and million events: ${dollars(dynamo)} in DynamoDB's ${sizes.regions} Regions (items and their index entries), ${dollars(s3)} in S3`,
);

const other = newTable(['Tessera’s choice: Aurora and S3, one Region', 'at 1 500 a second', 'at 10 a second', 'how']);
const auroras = rates.map((rate) => auroraLines(sizes, rate));
for (const [index, line] of (auroras[0] ?? []).entries())
  other.push([line.what, dollars(line.dollars), dollars(auroras[1]?.[index]?.dollars ?? 0), line.how]);
other.push([
  'together',
  ...auroras.map((lines) => dollars(lines.reduce((sum, line) => sum + line.dollars, 0))),
  'bodies, search and other Regions are not in it',
]);
console.log(`\n${other.toString()}`);

const met = newTable(['limit of AWS', 'needed at 1 500 a second', 'allowed', 'met at events a second']);
for (const { what, needed, allowed, metAt } of limits(sizes)) met.push([what, needed, allowed, metAt]);
console.log(`\n${met.toString()}`);
