import type { Clock } from '../common/clock.ts';
import { type QueueName, queueNames } from '../common/names.ts';
import { queueOf } from '../incidents/ingest/queue-of.ts';
import { Signal } from '../incidents/models.ts';
import type { SignalQueue } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';

/** One record of what Lambda's event source gives to a consumer. */
interface SqsRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
}

type Consumer = (event: { readonly Records: readonly SqsRecord[] }) => Promise<{
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}>;

interface Message {
  readonly messageId: string;
  readonly body: string;
  readonly sentAt: number;
  receives: number;
}

export interface MemorySignalQueue extends SignalQueue, Failable<SignalQueue> {
  /** Puts a message there as EventBridge does: whatever its body is. */
  put(queue: QueueName, body: string): void;
  /** At most `most` of the messages that can be seen; nobody else sees them until they are removed or `visibilitySeconds` are over. */
  receive(queue: QueueName, most: number): readonly SqsRecord[];
  remove(queue: QueueName, receiptHandle: string): void;
  /**
   * One run of a consumer, as Lambda's event source does it: what the consumer does not call failed is removed, and a consumer that throws did nothing.
   * @returns how many messages it was given
   */
  deliver(queue: QueueName, most: number, consumer: Consumer): Promise<number>;
  /** Messages that were received `maxReceives` times and not removed. */
  deadLetters(queue: QueueName): readonly { readonly messageId: string; readonly body: string }[];
  /** Messages that can be seen or are being worked on: what is not done yet. */
  depth(queue: QueueName): number;
  /** When some message can be seen at the earliest; undefined while there is none. */
  visibleFrom(queue: QueueName): Date | undefined;
  /** Of the oldest message that is not done, as CloudWatch's `ApproximateAgeOfOldestMessage`; 0 when there is none. */
  oldestAgeSeconds(queue: QueueName): number;
}

export interface MemoryQueueSettings {
  readonly clock: Clock;
  /** 60 when left out. */
  readonly visibilitySeconds?: number;
  /** 5 when left out. */
  readonly maxReceives?: number;
  /** Numbers in [0, 1) that disorder follows from: without them messages come in order and once. */
  readonly random?: () => number;
  /** Share of messages that are delivered once more although they were removed; needs `random`. */
  readonly repeated?: number;
  /** Comes before the number of each message, so that no two queues have messages of one id. */
  readonly name?: string;
}

/** How far from its place a message may be delivered when there is disorder. */
const reach = 200;

/**
 * The queues with what SQS promises, and no more: at least once, in any order, hidden while somebody works on them, given up after so many tries. Bodies are kept as they came:
 * a signal travels as JSON.
 */
export function memorySignalQueue(settings: MemoryQueueSettings): MemorySignalQueue {
  const queues = Object.fromEntries(queueNames.map((name) => [name, oneQueue(settings)])) as Record<QueueName, ReturnType<typeof oneQueue>>;
  const port = failable<SignalQueue>({
    async send(signals) {
      for (const signal of signals) queues[queueOf(signal)].put(JSON.stringify(Signal.parse(signal)));
    },
  });
  return Object.assign(port, {
    put: (queue: QueueName, body: string) => queues[queue].put(body),
    receive: (queue: QueueName, most: number) => queues[queue].receive(most),
    remove: (queue: QueueName, receiptHandle: string) => queues[queue].remove(receiptHandle),
    async deliver(queue: QueueName, most: number, consumer: Consumer) {
      const records = queues[queue].receive(most);
      if (records.length === 0) return 0;
      const answer = await consumer({ Records: records }).catch(() => undefined);
      if (!answer) return records.length;
      const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
      // An id that was not given counts as a failure of all of them, as Lambda has it.
      const known = new Set(records.map(({ messageId }) => messageId));
      if ([...failed].some((id) => !known.has(id))) return records.length;
      for (const { messageId, receiptHandle } of records) if (!failed.has(messageId)) queues[queue].remove(receiptHandle);
      return records.length;
    },
    deadLetters: (queue: QueueName) => queues[queue].deadLetters,
    depth: (queue: QueueName) => queues[queue].depth(),
    visibleFrom: (queue: QueueName) => queues[queue].visibleFrom(),
    oldestAgeSeconds: (queue: QueueName) => queues[queue].oldestAgeSeconds(),
  });
}

function oneQueue({ clock, visibilitySeconds = 60, maxReceives = 5, random, repeated = 0, name = '' }: MemoryQueueSettings) {
  const visible: Message[] = [];
  let head = 0; // of `visible`: what is before it has been taken
  const hidden = new Map<string, { readonly message: Message; readonly until: number }>();
  const deadLetters: Message[] = [];
  let made = 0;
  const now = (): number => clock.now().getTime();

  /** Hidden for the same time each, so those that were hidden first come back first. */
  const reappear = (): void => {
    for (const [handle, { message, until }] of hidden) {
      if (until > now()) return;
      hidden.delete(handle);
      visible.push(message);
    }
  };
  const take = (): Message | undefined => {
    const index = random ? head + Math.floor(random() * Math.min(reach, visible.length - head)) : head;
    const first = visible[head];
    const taken = visible[index];
    if (first === undefined || taken === undefined) return undefined;
    visible[index] = first;
    head++;
    if (head > 10_000 && head * 2 > visible.length) {
      visible.splice(0, head);
      head = 0;
    }
    return taken;
  };
  return {
    deadLetters,
    put(body: string): void {
      visible.push({ messageId: `m-${name}${++made}`, body, sentAt: now(), receives: 0 });
    },
    receive(most: number): readonly SqsRecord[] {
      reappear();
      const records: SqsRecord[] = [];
      while (records.length < most) {
        const message = take();
        if (!message) break;
        if (message.receives >= maxReceives) {
          deadLetters.push(message);
          continue;
        }
        message.receives++;
        const receiptHandle = `${message.messageId}/${message.receives}`;
        hidden.set(receiptHandle, { message, until: now() + visibilitySeconds * 1000 });
        records.push({ messageId: message.messageId, receiptHandle, body: message.body });
      }
      return records;
    },
    remove(receiptHandle: string): void {
      const found = hidden.get(receiptHandle);
      if (!found) return; // seen by somebody else meanwhile: it is theirs to remove
      hidden.delete(receiptHandle);
      if (random && random() < repeated) visible.push({ ...found.message, receives: 0 });
    },
    depth: () => visible.length - head + hidden.size,
    visibleFrom(): Date | undefined {
      if (visible.length > head) return clock.now();
      const [first] = hidden.values();
      return first && new Date(first.until);
    },
    oldestAgeSeconds(): number {
      let oldest = now();
      for (let index = head; index < visible.length; index++) oldest = Math.min(oldest, visible[index]?.sentAt ?? oldest);
      for (const { message } of hidden.values()) oldest = Math.min(oldest, message.sentAt);
      return (now() - oldest) / 1000;
    },
  };
}
