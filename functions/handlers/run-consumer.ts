import { z } from 'zod';
import type { AnyConsumer } from '../common/consumer.ts';
import { CodeblueError, messageOf } from '../common/errors.ts';
import { parseAs } from '../common/parse.ts';
import { contextOf, type Host } from './run-operation.ts';

/** What Lambda's event source of a queue gives. */
const SqsEvent = z.object({ Records: z.array(z.object({ messageId: z.string().min(1), body: z.string() })) });

/** What Lambda does with the messages: those named are delivered again, the others are removed. */
interface SqsAnswer {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/**
 * Runs a consumer over one batch. A run that fails as a whole fails each of its messages, so that none is removed that was not done.
 *
 * @throws InvalidInput for an event that is no batch of a queue
 */
export async function runConsumer(consumer: AnyConsumer, event: unknown, host: Host, deadline: Date): Promise<SqsAnswer> {
  const { Records } = parseAs(SqsEvent, event, `the event of consumer ${consumer.name}`);
  const messages = Records.map(({ messageId, body }) => ({ messageId, body }));
  let failed: readonly string[];
  try {
    failed = await consumer.execute(messages, host.ports, contextOf(host, host.clock.now(), deadline));
  } catch (error) {
    host.log.error('batch failed', {
      consumer: consumer.name,
      messages: messages.length,
      error: messageOf(error),
      hint: error instanceof CodeblueError ? error.hint : undefined,
    });
    failed = messages.map(({ messageId }) => messageId);
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
