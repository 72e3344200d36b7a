import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { taskInvokerPort } from '../../functions/aws/task-invoker.ts';
import { awsSettings } from '../support/aws-settings.ts';

const lambda = mockClient(LambdaClient);

it('a task is invoked asynchronously with the event that its schedule would send', async () => {
  lambda.on(InvokeCommand).resolves({ StatusCode: 202 });
  const scheduledAt = new Date('2026-11-21T07:00:00Z');
  const input = { databaseId: 'hms', kind: 'daily' };
  await taskInvokerPort(awsSettings()).invoke({ task: 'backup-database', key: 'hms/daily', input, scheduledAt });
  const sent = lambda.commandCalls(InvokeCommand)[0]?.args[0].input;
  expect(sent).toMatchObject({ FunctionName: 'hms-codeblue-backup-database', InvocationType: 'Event' });
  const payload: unknown = JSON.parse(new TextDecoder().decode(sent?.Payload as Uint8Array));
  expect(payload).toEqual({ key: 'hms/daily', input, scheduledAt: '2026-11-21T07:00:00.000Z' });
});
