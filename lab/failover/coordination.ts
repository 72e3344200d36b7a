import { setTimeout as wait } from 'node:timers/promises';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import type { Region } from '../../functions/common/ids.ts';
import { CoordinationRecord } from '../../functions/failover/models.ts';
import type { Coordination } from '../../functions/failover/ports.ts';
import { memoryCoordination } from '../../functions/memory/coordination.ts';
import type { ItemStore } from '../../functions/memory/item-store.ts';
import type { Faults } from '../network/faults.ts';

/** How long a caller waits for a table that does not answer; the deployed adapter gives up after 1.5 s. */
const REQUEST_TIMEOUT_MS = 1_000;

/** Where the table of who leads is kept: two replicas and a witness. */
export interface CoordinationSites {
  readonly primary: Region;
  readonly standby: Region;
  readonly witness: Region;
}

/**
 * The coordination table as handlers of one region reach it: through the replica of that region, elsewhere through the standby's and then the
 * primary's. A replica serves while it and one more of the three see each other. Where replicas see the witness but not each other,
 * the witness sides with the primary's: it gives its voice once.
 */
export function labCoordination(store: ItemStore, faults: Faults, sites: CoordinationSites, viewer: Region): Coordination {
  const table = memoryCoordination(store);
  const isReplica = viewer === sites.primary || viewer === sites.standby;
  const ways = isReplica ? [viewer] : [sites.standby, sites.primary];
  let lastSeen: CoordinationRecord | undefined;

  const serves = (replica: Region): boolean => {
    const other = replica === sites.primary ? sites.standby : sites.primary;
    if (faults.reaches(replica, other)) return true;
    const witnessed = (one: Region): boolean => faults.reaches(one, sites.witness);
    return witnessed(replica) && (replica === sites.primary || !witnessed(sites.primary));
  };
  const answers = (): boolean => ways.some((replica) => faults.reaches(viewer, replica) && serves(replica));
  const answering = async <T>(work: () => Promise<T>): Promise<T> => {
    const unanswered = async (): Promise<never> => {
      await wait(REQUEST_TIMEOUT_MS);
      throw new ServiceUnavailable(`the coordination table does not answer in ${viewer}`);
    };
    if (!answers()) return unanswered();
    const result = await work();
    // Cut off while the answer was on its way: what was written is written.
    return answers() ? result : unanswered();
  };
  return {
    read: () =>
      answering(async () => {
        lastSeen = await table.read();
        return lastSeen;
      }),
    /** A replica that lost the others still tells what it last knew. */
    peek: async () => {
      if (!ways.some((replica) => faults.reaches(viewer, replica)))
        throw new ServiceUnavailable(`no replica of the coordination table answers in ${viewer}`);
      if (answers()) lastSeen = await table.peek();
      return lastSeen;
    },
    create: (record) => answering(() => table.create(record)),
    replace: (record) => answering(() => table.replace(record)),
    votes: () => answering(() => table.votes()),
    castVote: (vote) => answering(() => table.castVote(vote)),
    receipt: (region, epoch) => answering(() => table.receipt(region, epoch)),
    putReceipt: (receipt) => answering(() => table.putReceipt(receipt)),
    ask: (request) => answering(() => table.ask(request)),
    requests: () => answering(() => table.requests()),
    askForRunbook: (request) => answering(() => table.askForRunbook(request)),
    runbookRequests: () => answering(() => table.runbookRequests()),
    answer: (answer) => answering(() => table.answer(answer)),
    answerTo: (hash) => answering(() => table.answerTo(hash)),
    hold: () => answering(() => table.hold()),
    putHold: (hold) => answering(() => table.putHold(hold)),
    containment: () => answering(() => table.containment()),
    putContainment: (containment) => answering(() => table.putContainment(containment)),
  };
}

/** The record as it is stored: for the lab's own eyes, past every fault. */
export function storedRecord(store: ItemStore): CoordinationRecord | undefined {
  const found = store.get('coordination', 'record');
  return found && CoordinationRecord.parse(found.value);
}

/** The region whose database is the live one, by that record. */
export function leaderIn(store: ItemStore): Region | undefined {
  const record = storedRecord(store);
  return record?.phase === 'claimed' ? (record.plan?.from ?? record.holder) : record?.holder;
}
