import { defineConsumer, type QueueMessage } from '../../common/consumer.ts';
import { minutes, seconds } from '../../common/duration.ts';
import { messageOf } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { inParallel } from '../../common/in-parallel.ts';
import type { PortsFor } from '../../common/ports.ts';
import type { TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { acceptEvents, type RejectedEvent } from '../events/accept.ts';
import { recordEvents } from '../events/record.ts';
import { type BusMessage, readBusMessage } from './bus-message.ts';

const needs = ['audit-events:record'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/** Each records so many events at a time as a request does. */
const MESSAGES_AT_A_TIME = 5;

/** Refusals that one act tells in words. */
const TOLD = 5;

/**
 * Takes what applications put on the audit bus. There is nobody to answer: what is refused becomes an act of Codeblue's own and a metric with an alarm, and is done with; what
 * could not be recorded is delivered again, whole, and whatever of it is recorded stays one event.
 */
export const logAuditEvents = defineConsumer({
  name: 'log-audit-events',
  summary: 'Records the audit events that applications put on the bus.',
  needs,
  queue: 'audit-events',
  timeout: minutes(1),
  memoryMegabytes: 1024,
  batchSize: 50,
  batchWindow: seconds(1), // Lambda wants one for more than ten messages
  concurrency: 10,
  async run(messages, context) {
    const failed: string[] = [];
    await inParallel(MESSAGES_AT_A_TIME, messages, async (message) => {
      if (!(await take(message, context))) failed.push(message.messageId);
    });
    return failed;
  },
});

/** @returns whether the message needs no other delivery */
async function take({ messageId, body }: QueueMessage, context: Context): Promise<boolean> {
  const now = context.clock.now();
  const message = readBusMessage(body, now);
  const { submittedBy, handedOverAt } = message;
  const { accepted, rejected } = acceptEvents(message.given, { policy: context.operations.audit, now, submittedBy, handedOverAt });
  const recorded = await recordEvents(accepted, context);
  if (recorded.some(({ status }) => status === 'unavailable')) return false;
  const reused = recorded.flatMap((each) => (each.status === 'rejected' ? [each] : []));
  const refused = [...rejected, ...reused].sort((a, b) => a.index - b.index);
  if (refused.length === 0) return true;
  try {
    await tell(messageId, message, refused, context);
    return true;
  } catch (error) {
    context.log.error('refused audit events could not be told of', { messageId, error: messageOf(error) });
    return false;
  }
}

/** One act for each message, the same however often it is delivered. Of the events it has the ids, the codes and the first reasons, and nothing that they said. */
async function tell(
  messageId: string,
  { submittedBy, handedOverAt }: BusMessage,
  refused: readonly RejectedEvent[],
  { auditLog, metrics, region, log }: Context,
): Promise<void> {
  const codes = Object.entries(Object.groupBy(refused, ({ code }) => code)).map(([code, each]) => `${code} ${each?.length}`);
  const told = refused.slice(0, TOLD).map(({ index, eventId, reason }) => `event ${index + 1}${eventId ? ` (${eventId})` : ''}: ${reason}`);
  const actId = `refuse-audit-events:${messageId}`;
  await auditLog.record({
    ...{ eventId: `${actId}:outcome`, actId, phase: 'outcome', at: timestamp(handedOverAt), region },
    ...{ actor: submittedBy.slice(0, 200), action: 'refuse-audit-events', resource: 'audit-log/events', outcome: 'failure' },
    details: { refused: refused.length, codes: codes.join(', '), reasons: told.join('\n') },
  });
  log.warn('audit events were refused', { messageId, refused: refused.length, codes: codes.join(', ') });
  await metrics.put({
    capability: 'audit',
    name: metricNames.audit.eventsRejected,
    value: refused.length,
    unit: 'Count',
    dimensions: { Region: region },
  });
}
