import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ServiceUnavailable } from '../common/errors.ts';
import { queueUrl, type SignalQueueName, signalQueueNames } from '../common/names.ts';
import { queueOf } from '../incidents/ingest/queue-of.ts';
import type { Signal } from '../incidents/models.ts';
import type { SignalQueue } from '../incidents/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/** The Region's own endpoint, wherever a queue's URL points: they are names here, not addresses. */
const queuesIn = perRegion((region) => new SQSClient({ ...clientOptions(region), useQueueUrlAsEndpoint: false }));

/** SQS takes ten messages in a call, and 256 KiB: a signal is 14 KB at the very most, with a note of 2 000 characters that JSON writes as six each. */
const perCall = 10;
/** SQS answers for each message: those that it did not take are sent again so often. */
const attempts = 3;

/** JSON of ASCII alone: SQS refuses some characters (U+FFFE, U+FFFF), and a foreign note may hold any. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The queues of this Region. */
export function signalQueuePort({ region, operations }: Pick<AwsSettings, 'region' | 'operations'>): SignalQueue {
  const sendTen = async (queue: SignalQueueName, ten: readonly Signal[]): Promise<void> => {
    let left = ten.map((signal, index) => ({ Id: String(index), MessageBody: asciiJson(signal) }));
    for (let attempt = 1; left.length > 0; attempt++) {
      const command = new SendMessageBatchCommand({ QueueUrl: queueUrl(operations, region, queue), Entries: left });
      const { Failed = [] } = await calling(`send ${left.length} signals`, () => queuesIn(region).send(command));
      const failed = new Set(Failed.map(({ Id }) => Id));
      left = left.filter(({ Id }) => failed.has(Id));
      if (left.length > 0 && attempt === attempts) {
        throw new ServiceUnavailable(`${left.length} signals were not taken: ${Failed.map(({ Code }) => Code).join(', ')}`);
      }
    }
  };
  return {
    async send(signals) {
      // Urgent ones first: should the others not be taken, those are on their way.
      for (const queue of signalQueueNames) {
        const own = signals.filter((signal) => queueOf(signal) === queue);
        const calls = Array.from({ length: Math.ceil(own.length / perCall) }, (_, index) =>
          own.slice(index * perCall, (index + 1) * perCall),
        );
        await Promise.all(calls.map((ten) => sendTen(queue, ten)));
      }
    },
  };
}
