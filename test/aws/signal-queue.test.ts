import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { signalQueuePort } from '../../functions/aws/signal-queue.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { awsSettings } from '../support/aws-settings.ts';
import { aSignal } from '../support/incidents.ts';

const sqs = mockClient(SQSClient);
const sent = () => sqs.commandCalls(SendMessageBatchCommand).map(({ args: [{ input }] }) => input);
const some = (count: number) => Array.from({ length: count }, (_, index) => aSignal({ alarm: `Alarm${index}` }));

describe('the queues of signals in SQS', () => {
  beforeEach(() => sqs.reset());

  it('are told ten at a time, the urgent ones first', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});
    await signalQueuePort(awsSettings()).send([...some(12), aSignal({ severity: 1 })]);
    expect(sent().map(({ QueueUrl, Entries }) => [QueueUrl?.split('/').at(-1), Entries?.length])).toEqual([
      ['hms-codeblue-urgent-signals', 1],
      ['hms-codeblue-signals', 10],
      ['hms-codeblue-signals', 2],
    ]);
  });

  it('are told again what they did not take, and only that', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({ Failed: [{ Id: '1', Code: 'InternalError', SenderFault: false }] } as never)
      .resolves({});
    await signalQueuePort(awsSettings()).send(some(3));
    expect(sent().map(({ Entries }) => Entries?.length)).toEqual([3, 1]);
    expect(sent()[1]?.Entries?.[0]?.MessageBody).toContain('Alarm1');
  });

  it('that do not take a signal are an error: whoever sent it must not believe that it is there', async () => {
    sqs.on(SendMessageBatchCommand).resolves({ Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] } as never);
    await expect(signalQueuePort(awsSettings()).send(some(1))).rejects.toThrow(ServiceUnavailable);
  });

  it('get no more than SQS takes, whatever the notes say', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});
    await signalQueuePort(awsSettings()).send(some(10).map((signal) => ({ ...signal, note: '\uffff'.repeat(2000) })));
    const bytes = (sent()[0]?.Entries ?? []).reduce((sum, { MessageBody = '' }) => sum + Buffer.byteLength(MessageBody), 0);
    expect(bytes).toBeLessThan(256 * 1024);
  });
});
