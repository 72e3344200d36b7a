import { price as common } from '../aws-paper/cost.ts';

/** List prices of us-east-1 in US dollars, as published in November 2026; free tiers are left out. */
const price = {
  ...common,
  /** S3 Standard: a PUT; KMS: an asymmetric signature of a curve; replication of a gigabyte between Regions. */
  s3Put: 0.005 / 1000,
  kmsSign: 0.15 / 10_000,
  transferGigabyte: 0.02,
  dynamoGigabyteMonth: 0.25,
  s3GigabyteMonth: 0.023,
  /** Aurora MySQL, db.r8g.large on demand, per hour; a million I/Os; a gigabyte and month. */
  auroraInstanceHour: 0.276,
  auroraMillionIos: 0.2,
} as const;

export interface EventSizes {
  readonly itemBytes: number;
  readonly leafBytes: number;
  /** Of its item in the table of the log. */
  readonly queueBytes: number;
  /** Of the audit table, that it is in. */
  readonly indexes: number;
  readonly regions: number;
}

export interface Rate {
  readonly perSecond: number;
}

interface Line {
  readonly what: string;
  /** For a million events. */
  readonly dollars: number;
  readonly how: string;
}

const MILLION = 1e6;
/** From the beginning of one pass of the sequencer to the next one: its pause, and what a pass takes. */
const passSeconds = (perSecond: number): number => 0.5 + Math.min(1, 0.1 + perSecond / 2_500);
const units = (bytes: number): number => Math.ceil(bytes / 1024);
/** A transaction writes everything twice. */
const TRANSACTION = 2;
/** Events of one request of an application, and what it takes Lambda: our assumptions. */
const request = { events: 50, seconds: 0.15, gigabytes: 1 } as const;
const sequencer = { gigabytes: 0.5, overlap: 1.05 } as const;

/** Objects that a pass writes: full bundles and tiles, the partial ones at the right edge of three levels, and the checkpoint. */
const objectsOfPass = (events: number): number => 2 * Math.floor(events / 256) + 1 + 3 + 1;

export function costLines(sizes: EventSizes, { perSecond }: Rate): readonly Line[] {
  const { itemBytes, queueBytes, indexes, regions, leafBytes } = sizes;
  const passEvents = perSecond * passSeconds(perSecond);
  const passes = MILLION / passEvents;
  const puts = passes * objectsOfPass(passEvents);
  const item = units(itemBytes);
  const table = item * TRANSACTION + item * (regions - 1);
  const index = indexes * regions;
  // Recorded with its event, settled with its neighbours, and in the index of those that wait twice: put there and taken out.
  const queue = units(queueBytes) * TRANSACTION * 2 + 2;
  const reads = 2 * Math.ceil(queueBytes / 4096);
  const gigabytes = (leafBytes + 64) / 1e9;
  const month = (730 * 3600) / MILLION;
  return [
    {
      what: 'DynamoDB, the event',
      dollars: MILLION * table * price.replicatedWriteUnit,
      how: `${table} units: ${item} KB, in a transaction, and ${regions - 1} replicas`,
    },
    {
      what: 'DynamoDB, what is searched for',
      dollars: MILLION * index * price.replicatedWriteUnit,
      how: `${index} units: ${indexes} indexes of keys in ${regions} Regions`,
    },
    {
      what: 'DynamoDB, the queue',
      dollars: MILLION * queue * price.replicatedWriteUnit,
      how: `${queue} units: in, settled, and its index`,
    },
    { what: 'DynamoDB, the sequencer’s reads', dollars: MILLION * reads * price.readUnit, how: `${reads} units, consistent` },
    {
      what: 'S3, objects and their copies',
      dollars: puts * price.s3Put * regions + MILLION * gigabytes * (regions - 1) * price.transferGigabyte,
      how: `${(puts / passes).toFixed(0)} PUTs a pass of ${Math.round(passEvents)} events, in ${regions} Regions`,
    },
    { what: 'KMS, checkpoints', dollars: passes * price.kmsSign, how: 'one signature a pass' },
    {
      what: 'Lambda, requests',
      dollars: (MILLION / request.events) * (request.seconds * request.gigabytes * price.lambdaGigabyteSecond + price.lambdaRequest),
      how: `${request.events} events each, ${request.seconds * 1000} ms`,
    },
    {
      what: 'Lambda, the sequencer',
      dollars: (sequencer.gigabytes * sequencer.overlap * price.lambdaGigabyteSecond * MILLION) / perSecond,
      how: `always on: ${(sequencer.gigabytes * sequencer.overlap * price.lambdaGigabyteSecond * month * MILLION).toFixed(2)} dollars a month and Region`,
    },
  ];
}

/** DynamoDB adds 100 bytes to an item, and to each entry of an index, which holds some 200 bytes of keys. */
const overheadBytes = 100;
const indexEntryBytes = 200;

/** Dollars a month for what a million events keep. */
export function keptMonthly({ itemBytes, queueBytes, indexes, regions, leafBytes }: EventSizes): {
  readonly dynamo: number;
  readonly s3: number;
} {
  const table = (itemBytes + overheadBytes + indexes * (indexEntryBytes + overheadBytes)) * regions + queueBytes + overheadBytes;
  return {
    dynamo: (MILLION * table * price.dynamoGigabyteMonth) / 1e9,
    s3: (MILLION * (leafBytes + 64) * regions * price.s3GigabyteMonth) / 1e9,
  };
}

/** What Tessera's driver for AWS does, after its own description: batches into Aurora MySQL, entries and tiles into S3. Two instances, since one alone is no durable service. */
export function auroraLines({ leafBytes }: EventSizes, { perSecond }: Rate): readonly Line[] {
  const instances = (2 * price.auroraInstanceHour * MILLION) / perSecond / 3600;
  const passEvents = Math.max(1, perSecond * 1);
  const passes = MILLION / passEvents;
  const ios = (MILLION / 256) * 8 + passes * 20;
  return [
    { what: 'Aurora, two instances', dollars: instances, how: 'db.r8g.large, whatever comes' },
    { what: 'Aurora, I/O', dollars: (ios / MILLION) * price.auroraMillionIos, how: 'batches of 256, an integration a second' },
    {
      what: 'S3, objects',
      dollars: passes * objectsOfPass(passEvents) * price.s3Put + (MILLION * leafBytes * price.s3GigabyteMonth) / 1e9,
      how: `entries as long as our leaves`,
    },
  ];
}

interface Limit {
  readonly what: string;
  readonly needed: string;
  readonly allowed: string;
  readonly metAt: string;
}

const SUSTAINED = 1_500;

/** Default quotas of an account in us-east-1. */
export function limits({ itemBytes, queueBytes }: EventSizes): readonly Limit[] {
  const item = units(itemBytes) * TRANSACTION;
  const queue = units(queueBytes) * TRANSACTION;
  const count = (value: number): string => Math.round(value).toLocaleString('en-US');
  const limit = (what: string, perEvent: number, allowed: number, unit: string): Limit => ({
    what,
    needed: `${count(SUSTAINED * perEvent)} ${unit}`,
    allowed: `${count(allowed)} ${unit}`,
    metAt: count(allowed / perEvent),
  });
  const passEvents = SUSTAINED * passSeconds(SUSTAINED);
  const putsPerEvent = objectsOfPass(passEvents) / passEvents;
  return [
    limit('DynamoDB, audit table (on demand, per table)', item, 40_000, 'units/s'),
    limit('DynamoDB, a table that was empty yesterday', item, 4_000, 'units/s'),
    limit('DynamoDB, an index by time: 16 parts of a day', 1, 16_000, 'units/s'),
    limit('DynamoDB, one patient (one partition)', 1, 1_000, 'units/s'),
    limit('DynamoDB, the log’s table: recorded and settled', queue * 2, 40_000, 'units/s'),
    limit('sequencer: 2 048 events a pass', 1, 2_048 / passSeconds(SUSTAINED), 'events/s'),
    limit('S3, PUTs of one prefix', putsPerEvent, 3_500, 'PUTs/s'),
    limit('KMS, signatures', 1 / passEvents, 1_000, 'a second'),
    limit('Lambda, 50 requests at a time of 50 events', 1 / request.events, 50 / request.seconds, 'requests/s'),
    limit('EventBridge, batches of 50 events', 1 / 50, 10_000, 'entries/s'),
  ];
}
