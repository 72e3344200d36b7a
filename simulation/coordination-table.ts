import { Conflict, ServiceUnavailable } from '../functions/common/errors.ts';
import type { Region } from '../functions/common/ids.ts';
import type {
  ApprovalAnswer,
  ApprovalRequest,
  Containment,
  CoordinationRecord,
  FenceReceipt,
  Hold,
  RunbookApproval,
  Vote,
} from '../functions/failover/models.ts';
import type { Coordination } from '../functions/failover/ports.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';
import { type Micros, toMicros, type VirtualTime } from './virtual-time.ts';

/** Two writes of one item in two Regions so close to one another can be refused, although neither condition fails (ReplicatedWriteConflict). */
const conflictWindow = toMicros(0.15);

interface Places {
  /** Regions with a replica that can be read and written. */
  readonly replicas: readonly [Region, Region];
  readonly witness: Region;
}

/** Told of every change of the record. */
export type OnRecord = (before: CoordinationRecord | undefined, after: CoordinationRecord, by: Process) => void;

/**
 * A DynamoDB table with multi-Region strong consistency: one history of writes, served by a replica that is up and reaches one other of the
 * table's three Regions. A replica that is cut off still answers reads that need not be consistent, with what it last knew.
 */
export class CoordinationTable {
  readonly #time: VirtualTime;
  readonly #network: Network;
  readonly #random: Random;
  readonly #places: Places;
  readonly #onRecord: OnRecord;
  readonly #known = new Map<Region, CoordinationRecord | undefined>();
  readonly votes = new Map<Region, Vote>();
  readonly #receipts = new Map<string, FenceReceipt>();
  readonly #asked = new Map<string, ApprovalRequest>();
  readonly #askedForRunbooks = new Map<string, RunbookApproval>();
  readonly answers = new Map<string, ApprovalAnswer>();
  #hold: Hold | undefined;
  #containment: Containment | undefined;
  #lastWrite: { readonly at: Micros; readonly through: Region } | undefined;
  record: CoordinationRecord | undefined;

  constructor(given: {
    readonly time: VirtualTime;
    readonly network: Network;
    readonly random: Random;
    readonly places: Places;
    readonly onRecord: OnRecord;
    readonly first: CoordinationRecord | undefined;
  }) {
    this.#time = given.time;
    this.#network = given.network;
    this.#random = given.random;
    this.#places = given.places;
    this.#onRecord = given.onRecord;
    this.record = given.first;
    for (const replica of given.places.replicas) this.#known.set(replica, given.first);
  }

  get requests(): readonly ApprovalRequest[] {
    return [...this.#asked.values()];
  }

  /** Whether a replica can answer consistently now. */
  hasMajority(replica: Region): boolean {
    const { replicas, witness } = this.#places;
    if (!this.#network.isUp(replica)) return false;
    return [...replicas, witness].some((other) => other !== replica && this.#network.reaches(replica, other));
  }

  /** The port as one process has it. */
  port(process: Process): Coordination {
    const strong = <T>(name: string, effect: (replica: Region) => T): Promise<T> => {
      let replica = this.#replicaFor(process.region);
      return this.#network.call(process, {
        name: `coordination.${name}`,
        to: () => {
          replica = this.#replicaFor(process.region);
          return replica;
        },
        effect: () => {
          if (!this.hasMajority(replica)) throw new ServiceUnavailable(`${name}: the table has no majority`);
          return effect(replica);
        },
      });
    };
    return {
      read: () => strong('read', () => this.record),
      peek: () => {
        const replica = this.#replicaFor(process.region);
        return this.#network.call(process, { name: 'coordination.peek', to: () => replica, effect: () => this.#peek(replica) });
      },
      create: (record) =>
        strong('create', (replica) => {
          if (this.record) throw new Conflict('there is a record');
          this.#write(record, process, replica);
        }),
      replace: (record) =>
        strong(`replace v${record.version} ${record.phase} e${record.epoch}`, (replica) => {
          if (this.record?.version !== record.version)
            throw new Conflict(`the record is at ${this.record?.version}, not ${record.version}`);
          const last = this.#lastWrite;
          if (last && last.through !== replica && this.#time.now - last.at < conflictWindow && this.#random.chance(0.5)) {
            throw new Conflict('another Region writes the record at this moment');
          }
          return this.#write({ ...record, version: record.version + 1 }, process, replica);
        }),
      votes: () => strong('votes', () => [...this.votes.values()]),
      castVote: (vote) => strong('castVote', () => void this.votes.set(vote.observer, vote)),
      receipt: (region, epoch) => strong('receipt', () => this.#receipts.get(`${region}/${epoch}`)),
      putReceipt: (receipt) => strong('putReceipt', () => void this.#receipts.set(`${receipt.region}/${receipt.epoch}`, receipt)),
      ask: (request) => strong('ask', () => once(this.#asked, request.hash, request)),
      requests: () => strong('requests', () => [...this.#asked.values()]),
      askForRunbook: (request) => strong('askForRunbook', () => once(this.#askedForRunbooks, request.hash, request)),
      runbookRequests: () => strong('runbookRequests', () => [...this.#askedForRunbooks.values()]),
      answer: (answer) => strong('answer', () => once(this.answers, answer.hash, answer)),
      answerTo: (hash) => strong('answerTo', () => this.answers.get(hash)),
      hold: () => strong('hold', () => this.#hold),
      putHold: (hold) =>
        strong('putHold', () => {
          this.#hold = hold;
        }),
      containment: () => strong('containment', () => this.#containment),
      putContainment: (containment) =>
        strong('putContainment', () => {
          this.#containment = containment;
        }),
    };
  }

  /** Writes over whatever is stored: for breaking the protocol on purpose. */
  forced(process: Process): Coordination['replace'] {
    const place = this.#replicaFor(process.region);
    return (record) =>
      this.#network.call(process, {
        name: `coordination.replace of anything`,
        to: () => place,
        effect: () => {
          if (!this.hasMajority(place)) throw new ServiceUnavailable('the table has no majority');
          return this.#write({ ...record, version: (this.record?.version ?? 0) + 1 }, process, place);
        },
      });
  }

  /** A Region with a replica asks its own; the others ask the standby's first, then the primary's. */
  #replicaFor(region: Region): Region {
    const { replicas } = this.#places;
    const own = replicas.find((each) => each === region);
    return own ?? [...replicas].reverse().find((each) => this.#network.reaches(region, each)) ?? replicas[1];
  }

  #peek(replica: Region): CoordinationRecord | undefined {
    if (this.hasMajority(replica) && !this.#random.chance(0.05)) this.#known.set(replica, this.record);
    return this.#known.get(replica);
  }

  #write(record: CoordinationRecord, process: Process, through: Region): CoordinationRecord {
    const before = this.record;
    const stored = frozen(record);
    this.record = stored;
    this.#lastWrite = { at: this.#time.now, through };
    this.#known.set(through, stored);
    this.#onRecord(before, stored, process);
    return stored;
  }
}

/** The first one stays. */
function once<T>(among: Map<string, T>, key: string, value: T): T {
  const stored = among.get(key) ?? value;
  among.set(key, stored);
  return stored;
}

/** What is stored is nobody's to change. */
function frozen<T extends object>(value: T): T {
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) frozen(member);
  return Object.freeze(value);
}
