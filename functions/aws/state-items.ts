import { GetCommand, PutCommand, type PutCommandInput, paginateQuery, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { DatabaseId, RecoveryPointId, Region, Timestamp, VerificationId } from '../common/ids.ts';
import { timestamp } from '../common/ids.ts';
import { parseAs } from '../common/parse.ts';
import type { IncidentId, Page, TimelineEntry } from '../incidents/models.ts';
import { timelineKey } from '../incidents/timeline-key.ts';
import { documentsIn } from './dynamodb.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/**
 * Items of the state table. Every item has `pk`, `sk`, `updatedAt` (ISO 8601, the last write), `version` (raised by each
 * write, the condition of the next) and `body`.
 *
 * | item            | pk                     | sk                           | body                         |
 * |-----------------|------------------------|------------------------------|------------------------------|
 * | recovery point  | `points#<databaseId>`  | `<recoveryPointId>`          | RecoveryPoint                |
 * | run of a task   | `runs#<task>#<key>`    | `<scheduledAt>`              | Run; goes after 90 days      |
 * | proof           | `proof#<verificationId>` | `proof`                    | SignedProof                  |
 * | proof, by time  | `proofs#<databaseId>`  | `<finishedAt>#<verificationId>` | the verification id       |
 * | incident        | `incidents#<yyyymm>`, of its opening | `<incidentId>` | Incident                    |
 * | ... that is open | `incidents#open#<home>` | `<incidentId>`              | the incident's id            |
 * | ... newest of its group | `group#<home>#<groupKey>` | `group`         | the incident's id            |
 * | line of a timeline | `timeline#<incidentId>` | `<at>#<rank>#<digest>`   | TimelineEntry                |
 * | signal          | `signal#<signalId>`    | `signal`                     | Signal and Triage; goes after 30 days |
 * | alarm           | `alarm#<region>#<dedupKey>` | `alarm`                 | KnownAlarm; goes 30 days after it was last well |
 * | ... held back   | `alarms#held#<region>` | `<dedupKey>`                 | the dedup key                |
 * | silence         | `silences`             | `<silenceId>`                | Silence; goes 90 days after its end |
 * | override        | `overrides`            | `<overrideId>`               | Override; goes 90 days after its end |
 * | spent link      | `spent#<nonce>`        | `spent`                      | when; goes a day after it expires |
 * | page            | `pages#<incidentId>`   | `<pageId>`                   | Page                         |
 * | checkpoint seen last | `audit-seen#<region>` | `<generation>`          | SeenCheckpoint               |
 * | long check of the log | `audit-watch#<check>` | `progress`             | WatchProgress                |
 * | rate of a channel | `rate#<region>`       | `<method>`                   | SendRate                     |
 * | automated runbooks | `runbooks#<region>`   | `history`                    | RunbookHistory               |
 * | ... not sent yet | `pages#unsent#<home>` | `<dueAt>#<pageId>`           | the page's and the incident's id |
 * | allowance used  | `allowance#<region>#<name>#<minute>` | `allowance`    | none: `used` counts; goes after an hour |
 *
 * Signals lie in partitions of their own, and alarms too: 10 000 a minute spread over the table, and no partition is hot. Only the incident that they join is.
 *
 * Reads are strongly consistent within a Region. The table is a global table and replicates in about a second, last writer
 * wins: scheduled tasks write it in the active Region only, and incidents are written in their home, so two Regions never race for one item.
 */
export const stateKeys = {
  recoveryPoint: (databaseId: DatabaseId, id: RecoveryPointId) => ({ pk: `points#${databaseId}`, sk: id }),
  run: (task: string, key: string, scheduledAt: string) => ({ pk: `runs#${task}#${key}`, sk: scheduledAt }),
  proof: (id: VerificationId) => ({ pk: `proof#${id}`, sk: 'proof' }),
  proofByTime: (databaseId: DatabaseId, finishedAt: string, id: VerificationId) => ({
    pk: `proofs#${databaseId}`,
    sk: `${finishedAt}#${id}`,
  }),
  incident: (id: IncidentId) => ({ pk: incidentsOfMonth(id.slice('inc-'.length)), sk: id }),
  openIncident: (home: Region, id: IncidentId) => ({ pk: openIncidents(home), sk: id }),
  group: (home: Region, groupKey: string) => ({ pk: `group#${home}#${groupKey}`, sk: 'group' }),
  timeline: (id: IncidentId, entry: TimelineEntry) => ({ pk: `timeline#${id}`, sk: timelineKey(entry) }),
  signal: (signalId: string) => ({ pk: `signal#${signalId}`, sk: 'signal' }),
  alarm: (region: Region, dedupKey: string) => ({ pk: `alarm#${region}#${dedupKey}`, sk: 'alarm' }),
  heldBackAlarm: (region: Region, dedupKey: string) => ({ pk: `alarms#held#${region}`, sk: dedupKey }),
  silence: (silenceId: string) => ({ pk: 'silences', sk: silenceId }),
  override: (overrideId: string) => ({ pk: 'overrides', sk: overrideId }),
  spent: (nonce: string) => ({ pk: `spent#${nonce}`, sk: 'spent' }),
  allowance: (region: Region, name: string, minute: Timestamp) => ({ pk: `allowance#${region}#${name}#${minute}`, sk: 'allowance' }),
  page: (incidentId: IncidentId, pageId: string) => ({ pk: `pages#${incidentId}`, sk: pageId }),
  sendRate: (region: Region, method: Page['method']) => ({ pk: `rate#${region}`, sk: method }),
  runbookHistory: (region: Region) => ({ pk: `runbooks#${region}`, sk: 'history' }),
  seenCheckpoint: (region: Region, generation: number) => ({ pk: `audit-seen#${region}`, sk: String(generation) }),
  watchProgress: (check: string) => ({ pk: `audit-watch#${check}`, sk: 'progress' }),
  unsentPage: ({ home, dueAt, pageId }: Pick<Page, 'home' | 'dueAt' | 'pageId'>) => ({ pk: unsentPages(home), sk: `${dueAt}#${pageId}` }),
} as const;

/** @param month anything that begins with the month as `yyyymm` */
export const incidentsOfMonth = (month: string): string => `incidents#${month.slice(0, 6)}`;
export const openIncidents = (home: Region): string => `incidents#open#${home}`;
export const unsentPages = (home: Region): string => `pages#unsent#${home}`;
/** Sort keys of unsent pages that are due by then are below this. */
export const unsentUntil = (until: Timestamp): string => `${until}$`;

export interface StateKey {
  readonly pk: string;
  readonly sk: string;
}

const StoredItem = z.object({ pk: z.string(), sk: z.string(), version: z.int().positive(), body: z.unknown() });

/** One kind of item with the schema of its body: parsed on the way in and on the way out. */
export interface StateItems<T> {
  get(key: StateKey): Promise<{ readonly body: T; readonly version: number } | undefined>;
  /** `0` means that there must be none. @throws Conflict when another version is stored, InvalidInput, ServiceUnavailable */
  put(key: StateKey, body: T, storedVersion: number, options?: PutOptions): Promise<void>;
  /** The same put as a part of a transaction; with `over` on another condition than the version. @throws InvalidInput */
  putPart(key: StateKey, body: T, storedVersion: number, options?: PutOptions & { readonly over?: Condition }): TransactionPart;
  /** Items of one partition by sort key, a page at a time; up to and including the sort key `upTo`. */
  list(pk: string, order: 'ascending' | 'descending', upTo?: string): AsyncGenerator<T>;
}

interface PutOptions {
  /** DynamoDB removes it within days of that. */
  readonly expiresAt?: Date;
}

export type TransactionPart = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
type Condition = Pick<PutCommandInput, 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>;

export function stateItems<S extends z.ZodType>(
  { region, stateTable, clock }: Pick<AwsSettings, 'region' | 'stateTable' | 'clock'>,
  schema: S,
): StateItems<z.output<S>> {
  const documents = documentsIn(region);
  const nameOf = (key: StateKey) => `${key.pk}/${key.sk}`;
  const bodyOf = (item: unknown) => {
    const { pk, sk, version, body } = parseAs(StoredItem, item, 'an item of the state table');
    return { body: parseAs(schema, body, `${pk}/${sk}`), version };
  };
  const itemOf = (key: StateKey, body: z.output<S>, storedVersion: number, { expiresAt }: PutOptions = {}) => ({
    TableName: stateTable,
    Item: {
      ...key,
      body: parseAs(schema, body, nameOf(key)),
      version: storedVersion + 1,
      updatedAt: timestamp(clock.now()),
      ...(expiresAt ? { expiresAt: Math.ceil(expiresAt.getTime() / 1000) } : {}),
    },
  });
  return {
    async get(key) {
      const command = new GetCommand({ TableName: stateTable, Key: key, ConsistentRead: true });
      const { Item } = await calling(`read ${nameOf(key)}`, () => documents.send(command));
      return Item && bodyOf(Item);
    },
    async put(key, body, storedVersion, options) {
      const command = new PutCommand({ ...itemOf(key, body, storedVersion, options), ...onlyOver(storedVersion) });
      await calling(`write ${nameOf(key)}`, () => documents.send(command));
    },
    putPart: (key, body, storedVersion, { over = onlyOver(storedVersion), ...options } = {}) => ({
      Put: { ...itemOf(key, body, storedVersion, options), ...over },
    }),
    async *list(pk, order, upTo) {
      const query = {
        TableName: stateTable,
        KeyConditionExpression: upTo === undefined ? 'pk = :pk' : 'pk = :pk AND sk <= :upTo',
        ExpressionAttributeValues: { ':pk': pk, ...(upTo === undefined ? {} : { ':upTo': upTo }) },
        ConsistentRead: true,
        ScanIndexForward: order === 'ascending',
      };
      const pages = paginateQuery({ client: documents }, query)[Symbol.asyncIterator]();
      for (;;) {
        const page = await calling(`list ${pk}`, () => pages.next());
        if (page.done) return;
        for (const item of page.value.Items ?? []) yield bodyOf(item).body;
      }
    },
  };
}

function onlyOver(storedVersion: number): Condition {
  if (storedVersion === 0) return { ConditionExpression: 'attribute_not_exists(pk)' };
  return {
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': storedVersion },
  };
}
