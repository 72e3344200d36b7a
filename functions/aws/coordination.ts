import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  type PutCommandInput,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { Conflict, ServiceUnavailable } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { coordinationKeys, coordinationTableName } from '../common/names.ts';
import { regionsOf } from '../common/operations-lookup.ts';
import { parseAs } from '../common/parse.ts';
import {
  ApprovalAnswer,
  ApprovalRequest,
  Containment,
  CoordinationRecord,
  FenceReceipt,
  Hold,
  RunbookApproval,
  Vote,
} from '../failover/models.ts';
import type { Coordination } from '../failover/ports.ts';
import { perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/**
 * A tick of a guardian is `lease.renewEvery` (3 s) long, and an endpoint that hangs must not eat two of them: 1.5 s for an answer, one more
 * attempt. Reads and writes of a table with multi-Region strong consistency take tens of milliseconds.
 */
const limits = {
  maxAttempts: 2,
  retryMode: 'standard' as const,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 1500, throwOnRequestTimeout: true },
};

const replicaIn = perRegion((region) =>
  DynamoDBDocumentClient.from(new DynamoDBClient({ region, ...limits }), { marshallOptions: { removeUndefinedValues: true } }),
);

const StoredItem = z.object({ pk: z.string(), body: z.unknown(), writtenBy: z.string().optional() });

/**
 * One table, `pk` alone: `record`, `vote#<region>`, `receipt#<region>#<epoch>`, `request#<hash>`, `runbook-request#<hash>`, `answer#<hash>`, `hold`, `containment`. Each item has its
 * value in `body`; the record also has its `version` at the top, for conditions, and the id of the call that wrote it.
 *
 * A write whose answer was lost is repeated by the SDK and then meets its own result: the id tells that apart from somebody else's write, so a
 * `Conflict` from here always means that another writer won.
 */
export function coordinationPort({ region, operations }: Pick<AwsSettings, 'region' | 'operations'>): Coordination {
  const TableName = coordinationTableName(operations);
  const replicas = replicasFor(operations.regions, region);
  let answersFirst = 0;

  /** Asks the replica here; from a Region without one, one after another, beginning with the last that answered. */
  async function asking<T>(doing: string, ask: (documents: DynamoDBDocumentClient) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (let attempt = 0; attempt < replicas.length; attempt++) {
      const index = (answersFirst + attempt) % replicas.length;
      const replica = replicas[index];
      if (!replica) break;
      try {
        const answer = await calling(`${doing} in ${replica}`, () => ask(replicaIn(replica)));
        answersFirst = index;
        return answer;
      } catch (error) {
        if (!(error instanceof ServiceUnavailable)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async function get<S extends z.ZodType>(schema: S, pk: string, consistent = true): Promise<z.output<S> | undefined> {
    const command = () => new GetCommand({ TableName, Key: { pk }, ConsistentRead: consistent });
    const { Item } = await asking(`read ${pk}`, (documents) => documents.send(command()));
    return Item && bodyOf(schema, Item);
  }

  const put = (pk: string, body: unknown, more: Partial<PutCommandInput> = {}, attributes: Readonly<Record<string, unknown>> = {}) =>
    asking(`write ${pk}`, (documents) => documents.send(new PutCommand({ TableName, Item: { pk, body, ...attributes }, ...more })));

  const remove = (pk: string) => asking(`remove ${pk}`, (documents) => documents.send(new DeleteCommand({ TableName, Key: { pk } })));

  /** @throws Conflict when `condition` does not hold for what somebody else wrote */
  async function putRecord(record: CoordinationRecord, condition: Partial<PutCommandInput>): Promise<void> {
    const writtenBy = randomUUID();
    try {
      await put(coordinationKeys.record, record, condition, { version: record.version, writtenBy });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      const command = () => new GetCommand({ TableName, Key: { pk: coordinationKeys.record }, ConsistentRead: true });
      const { Item } = await asking('read the record again', (documents) => documents.send(command()));
      if (Item?.writtenBy !== writtenBy) throw error;
    }
  }

  /** The first one stays. @returns what is stored */
  async function putOnce<S extends z.ZodType>(schema: S, pk: string, value: z.output<S>): Promise<z.output<S>> {
    try {
      await put(pk, parseAs(schema, value, pk), { ConditionExpression: 'attribute_not_exists(pk)' });
      return value;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      const stored = await get(schema, pk);
      if (stored === undefined) throw error;
      return stored;
    }
  }

  return {
    read: () => get(CoordinationRecord, coordinationKeys.record),
    peek: () => get(CoordinationRecord, coordinationKeys.record, false),
    async create(record) {
      const first = parseAs(CoordinationRecord, record, 'the first record');
      await putRecord(first, { ConditionExpression: 'attribute_not_exists(pk)' });
    },
    async replace(record) {
      const next = parseAs(CoordinationRecord, { ...record, version: record.version + 1 }, 'the coordination record');
      await putRecord(next, {
        ConditionExpression: '#version = :version',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':version': record.version },
      });
      return next;
    },
    async votes() {
      const Keys = regionsOf(operations).map((observer) => ({ pk: coordinationKeys.vote(observer) }));
      const request = { RequestItems: { [TableName]: { Keys, ConsistentRead: true } } };
      const { Responses, UnprocessedKeys } = await asking('read the votes', (documents) => documents.send(new BatchGetCommand(request)));
      if (Object.keys(UnprocessedKeys ?? {}).length > 0) throw new ServiceUnavailable('the coordination table gave only some of the votes');
      return (Responses?.[TableName] ?? []).map((item) => bodyOf(Vote, item));
    },
    async castVote(vote) {
      await put(coordinationKeys.vote(vote.observer), parseAs(Vote, vote, 'the vote'));
    },
    receipt: (of, epoch) => get(FenceReceipt, coordinationKeys.receipt(of, epoch)),
    async putReceipt(receipt) {
      await put(coordinationKeys.receipt(receipt.region, receipt.epoch), parseAs(FenceReceipt, receipt, 'the receipt'));
    },
    ask: (request) => putOnce(ApprovalRequest, coordinationKeys.request(request.hash), request),
    requests: () =>
      asking('list the requests', (documents) => requestsIn(documents, TableName, coordinationKeys.request(''), ApprovalRequest)),
    askForRunbook: (request) => putOnce(RunbookApproval, coordinationKeys.runbookRequest(request.hash), request),
    runbookRequests: () =>
      asking('list the requests', (documents) => requestsIn(documents, TableName, coordinationKeys.runbookRequest(''), RunbookApproval)),
    answer: (answer) => putOnce(ApprovalAnswer, coordinationKeys.answer(answer.hash), answer),
    answerTo: (hash) => get(ApprovalAnswer, coordinationKeys.answer(hash)),
    hold: () => get(Hold, coordinationKeys.hold),
    async putHold(hold) {
      if (hold) await put(coordinationKeys.hold, parseAs(Hold, hold, 'the hold'));
      else await remove(coordinationKeys.hold);
    },
    containment: () => get(Containment, coordinationKeys.containment),
    async putContainment(containment) {
      if (containment) await put(coordinationKeys.containment, parseAs(Containment, containment, 'the containment'));
      else await remove(coordinationKeys.containment);
    },
  };
}

/**
 * A Region with a replica asks that one and no other: a step of a failover must not call into the Region that it leaves, and what its own replica
 * cannot do for lack of a majority the other could not do either. The tertiary has none: the standby's is asked first, because the tertiary
 * is asked most when the primary is in trouble.
 */
function replicasFor(regions: { readonly primary: Region; readonly standby: Region }, region: Region): readonly Region[] {
  return region === regions.primary || region === regions.standby ? [region] : [regions.standby, regions.primary];
}

function bodyOf<S extends z.ZodType>(schema: S, item: unknown): z.output<S> {
  const { pk, body } = parseAs(StoredItem, item, 'an item of the coordination table');
  return parseAs(schema, body, pk);
}

/** The table holds a few dozen items for years: reading it whole costs less than an index would. */
async function requestsIn<S extends z.ZodType>(
  documents: DynamoDBDocumentClient,
  TableName: string,
  prefix: string,
  schema: S,
): Promise<readonly z.output<S>[]> {
  const found: z.output<S>[] = [];
  const query = {
    TableName,
    ConsistentRead: true,
    FilterExpression: 'begins_with(pk, :prefix)',
    ExpressionAttributeValues: { ':prefix': prefix },
  };
  for await (const page of paginateScan({ client: documents }, query)) {
    found.push(...(page.Items ?? []).map((item) => bodyOf(schema, item)));
  }
  return found;
}
