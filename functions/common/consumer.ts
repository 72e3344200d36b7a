import { z } from 'zod';
import { type Duration, minutes, seconds } from './duration.ts';
import type { QueueName } from './names.ts';
import type { Need, Ports, PortsFor } from './ports.ts';
import { type Described, defaults, executor, type Runnable, type TaskContext } from './task.ts';

/** A message as a consumer gets it: perhaps not for the first time, and in no order. */
export const QueueMessage = z.strictObject({ messageId: z.string().min(1), body: z.string() });
export type QueueMessage = z.output<typeof QueueMessage>;

const Messages = z.array(QueueMessage);

/** Messages to be delivered again; all others are done and removed. */
export type FailedMessageIds = readonly string[];

/**
 * Takes the messages of one queue, in every Region. From it come: function, role, the queue's event source, alarms on what waits and on what was given up, lab wiring.
 * What failed is delivered again after twice the `timeout`, for half an hour.
 */
export interface AnyConsumer extends Runnable {
  readonly kind: 'consumer';
  readonly queue: QueueName;
  /** Most messages of one run. */
  readonly batchSize: number;
  /** How long a batch that is not full waits for more; 1 s at least for more than ten messages (Lambda's own limit). */
  readonly batchWindow: Duration;
  /** Runs side by side, at most; at least 2 (Lambda's own limit). */
  readonly concurrency: number;
  /** @returns what must be delivered again */
  execute(messages: unknown, available: Partial<Ports>, context: TaskContext): Promise<FailedMessageIds>;
}

/** How long SQS hides a message from others while a run works on it. Lambda wants the time limit of the run at least; twice that lets a run end that began late. */
export const visibilityOf = ({ timeout }: Pick<AnyConsumer, 'timeout'>): Duration => seconds(timeout * 2);

/** How often a message is tried: for half an hour, and then it is a dead letter, which an alarm tells of. */
export const triesOf = (consumer: Pick<AnyConsumer, 'timeout'>): number => Math.ceil(minutes(30) / visibilityOf(consumer));

/** Declares a consumer. `run` returns the ids of the messages that it could not do; whatever it throws fails the whole batch. */
export function defineConsumer<const N extends Need>(
  definition: Described &
    Pick<AnyConsumer, 'queue' | 'batchSize' | 'batchWindow' | 'concurrency'> & {
      readonly needs: readonly N[];
      run(messages: readonly QueueMessage[], ports: PortsFor<N> & TaskContext): Promise<FailedMessageIds>;
    },
): AnyConsumer {
  return { kind: 'consumer', ...defaults, ...definition, execute: executor({ ...definition, input: Messages }) };
}
