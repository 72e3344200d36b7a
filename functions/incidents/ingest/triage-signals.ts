import { type AnyConsumer, defineConsumer, type QueueMessage } from '../../common/consumer.ts';
import { minutes, seconds } from '../../common/duration.ts';
import { CodeblueError, messageOf } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { AnyTask, TaskContext } from '../../common/task.ts';
import type { AlarmRow } from '../alarms/alarm-row.ts';
import { alarmTable } from '../alarms/table.ts';
import type { Signal } from '../models.ts';
import { type TriageContext, triageNeeds } from '../triage/carry-out.ts';
import { triageBatch } from '../triage/triage-batch.ts';
import type { RowOf } from './cloudwatch-event.ts';
import { signalOfMessage } from './signal-of-message.ts';

/**
 * The consumers of both queues: the same work, apart so that a storm does not stand before a severity 1. Those that are urgent wait for nobody to fill their batch.
 *
 * @param tasks of the registry, which lists these consumers too; asked for when an alarm is looked up
 */
export function triageConsumers(tasks: () => readonly AnyTask[]): readonly AnyConsumer[] {
  const common = { needs: triageNeeds, memoryMegabytes: 1024, run: triageMessages(rowsOf(tasks)) };
  return [
    defineConsumer({
      ...common,
      name: 'triage-urgent-signals',
      summary: 'Puts signals of severity 1 and acknowledgements on incidents and has people told.',
      queue: 'urgent-signals',
      timeout: seconds(15), // and tried again after 30 s
      batchSize: 10,
      batchWindow: seconds(0),
      concurrency: 5,
    }),
    defineConsumer({
      ...common,
      name: 'triage-signals',
      summary: 'Puts all other signals on incidents and has people told.',
      queue: 'signals',
      timeout: minutes(1),
      batchSize: 100,
      batchWindow: seconds(1), // Lambda wants one for more than ten messages
      concurrency: 5, // more of them meet on the incident of a storm, and read again what another one wrote
    }),
  ];
}

type Context = TriageContext & TaskContext;

const triageMessages =
  (rowOf: (operations: Operations) => RowOf) =>
  async (messages: readonly QueueMessage[], context: Context): Promise<readonly string[]> => {
    const arrival = { operations: context.operations, receivedAt: context.clock.now() };
    const failed: string[] = [];
    const read: Read[] = [];
    for (const { messageId, body } of messages) {
      try {
        const signal = signalOfMessage(body, arrival, rowOf(context.operations));
        if (signal) read.push({ messageId, signal });
      } catch (error) {
        context.log.error('a message cannot be read', { messageId, error: messageOf(error) });
        failed.push(messageId);
      }
    }
    return [...failed, ...(await triaged(read, context))];
  };

interface Read {
  readonly messageId: string;
  readonly signal: Signal;
}

/** @returns those to be delivered again: all, when trying again can help; else those that fail alone as well, so that one of them does not take the others along */
async function triaged(read: readonly Read[], context: Context): Promise<readonly string[]> {
  if (read.length === 0) return [];
  try {
    await triageBatch(
      read.map(({ signal }) => signal),
      context,
    );
    return [];
  } catch (error) {
    const retryable = error instanceof CodeblueError && error.retryable;
    context.log.error('signals were not triaged', { signals: read.length, error: messageOf(error) });
    if (retryable || read.length === 1) return read.map(({ messageId }) => messageId);
  }
  const failed: string[] = [];
  for (const each of read) failed.push(...(await triaged([each], context)));
  return failed;
}

/** Tables by deployment and Region, made once each. */
function rowsOf(tasks: () => readonly AnyTask[]): (operations: Operations) => RowOf {
  const tables = new WeakMap<Operations, Map<Region, ReadonlyMap<string, AlarmRow>>>();
  return (operations) =>
    ({ alarm, subject }, region) => {
      const regions = tables.get(operations) ?? new Map<Region, ReadonlyMap<string, AlarmRow>>();
      tables.set(operations, regions);
      const rows = regions.get(region) ?? new Map(alarmTable({ operations, region, tasks: tasks() }).map((row) => [nameOf(row), row]));
      regions.set(region, rows);
      return rows.get(nameOf({ alarm, subject }));
    };
}

const nameOf = ({ alarm, subject }: Pick<AlarmRow, 'alarm' | 'subject'>): string => `${alarm}-${subject}`;
