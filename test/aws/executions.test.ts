import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { executionsPort } from '../../functions/aws/executions.ts';
import { Region } from '../../functions/common/ids.ts';
import { awsSettings } from '../support/aws-settings.ts';

const sfn = mockClient(SFNClient);
const request = {
  region: Region.parse('us-west-2'),
  machine: 'verify-recovery-point',
  name: 'cbv-hms-1',
  input: { databaseId: 'hms' },
} as const;
const executionId = 'arn:aws:states:us-west-2:111122223333:execution:hms-codeblue-verify-recovery-point:cbv-hms-1';

describe('executions', () => {
  beforeEach(() => sfn.reset());

  it('are started in the Region that was asked for, under their name', async () => {
    sfn.on(StartExecutionCommand).resolves({});
    expect(await executionsPort(awsSettings()).start(request)).toBeUndefined();
    expect(sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input).toEqual({
      stateMachineArn: 'arn:aws:states:us-west-2:111122223333:stateMachine:hms-codeblue-verify-recovery-point',
      name: 'cbv-hms-1',
      input: '{"databaseId":"hms"}',
    });
  });

  it('started twice are the first one', async () => {
    sfn.on(StartExecutionCommand).rejects(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }));
    expect(await executionsPort(awsSettings()).start(request)).toBeUndefined();
  });

  it.each([
    ['RUNNING', 'running'],
    ['PENDING_REDRIVE', 'running'],
    ['SUCCEEDED', 'succeeded'],
    ['FAILED', 'failed'],
    ['TIMED_OUT', 'failed'],
    ['ABORTED', 'failed'],
  ] as const)('that are %s are %s', async (status, expected) => {
    sfn.on(DescribeExecutionCommand, { executionArn: executionId }).resolves({ status });
    expect(await executionsPort(awsSettings()).describe(request)).toEqual({ status: expected });
  });

  it('that are forgotten are undefined', async () => {
    sfn.on(DescribeExecutionCommand).rejects(new ExecutionDoesNotExist({ message: 'gone', $metadata: {} }));
    expect(await executionsPort(awsSettings()).describe(request)).toBeUndefined();
  });
});
