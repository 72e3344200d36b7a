import { z } from 'zod';
import { Conflict, ServiceUnavailable } from '../common/errors.ts';
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
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { type Items, items } from './items.ts';

/** The table of who leads, with handles by which a test makes it misbehave. */
export interface MemoryCoordination extends Coordination, Failable<Coordination> {
  /** While false every call throws `ServiceUnavailable`, as when two of the table's three Regions are gone. */
  setAvailable(available: boolean): void;
  /** From now on `peek` answers what it would answer now, as a replica does that is cut off; false lets it catch up. */
  freezePeek(frozen: boolean): void;
}

const Frozen = z.strictObject({ record: CoordinationRecord.optional() });

export function memoryCoordination(store: ItemStore): MemoryCoordination {
  const record = items(store, 'coordination', CoordinationRecord);
  const votes = items(store, 'coordination-votes', Vote);
  const receipts = items(store, 'coordination-receipts', FenceReceipt);
  const requests = items(store, 'coordination-requests', ApprovalRequest);
  const runbookRequests = items(store, 'coordination-runbook-requests', RunbookApproval);
  const answers = items(store, 'coordination-answers', ApprovalAnswer);
  const holds = items(store, 'coordination-hold', Hold);
  const containments = items(store, 'coordination-containment', Containment);
  let available = true;
  let frozen: z.output<typeof Frozen> | undefined;
  const read = () => record.get('record')?.value;

  const answering = (): void => {
    if (!available) throw new ServiceUnavailable('the coordination table does not answer');
  };

  const port = failable<Coordination>({
    async read() {
      answering();
      return read();
    },
    async peek() {
      answering();
      return frozen ? frozen.record : read();
    },
    async create(first) {
      answering();
      record.put('record', first, 'absent');
    },
    async replace(given) {
      answering();
      const stored = record.get('record');
      if (stored?.value.version !== given.version) {
        throw new Conflict(`the coordination record is at version ${stored?.value.version ?? 'none'}, not ${given.version}`);
      }
      const next = { ...given, version: given.version + 1 };
      record.put('record', next, { version: stored.version });
      return next;
    },
    async votes() {
      answering();
      return votes.list();
    },
    async castVote(vote) {
      answering();
      votes.put(vote.observer, vote);
    },
    async receipt(region, epoch) {
      answering();
      return receipts.get(`${region}/${epoch}`)?.value;
    },
    async putReceipt(receipt) {
      answering();
      receipts.put(`${receipt.region}/${receipt.epoch}`, receipt);
    },
    async ask(request) {
      answering();
      return putOnce(requests, request.hash, request);
    },
    async requests() {
      answering();
      return requests.list();
    },
    async askForRunbook(request) {
      answering();
      return putOnce(runbookRequests, request.hash, request);
    },
    async runbookRequests() {
      answering();
      return runbookRequests.list();
    },
    async answer(answer) {
      answering();
      return putOnce(answers, answer.hash, answer);
    },
    async answerTo(hash) {
      answering();
      return answers.get(hash)?.value;
    },
    async hold() {
      answering();
      return holds.get('hold')?.value;
    },
    async putHold(hold) {
      answering();
      if (hold) holds.put('hold', hold);
      else holds.delete('hold');
    },
    async containment() {
      answering();
      return containments.get('containment')?.value;
    },
    async putContainment(containment) {
      answering();
      if (containment) containments.put('containment', containment);
      else containments.delete('containment');
    },
  });
  return Object.assign(port, {
    setAvailable(now: boolean) {
      available = now;
    },
    freezePeek(now: boolean) {
      frozen = now ? Frozen.parse({ record: read() }) : undefined;
    },
  });
}

/** The first one stays. @returns what is stored */
function putOnce<T>(among: Items<T>, key: string, value: T): T {
  const stored = among.get(key);
  if (stored) return stored.value;
  among.put(key, value, 'absent');
  return value;
}
