import { CloudWatchLogsClient, DescribeLogGroupsCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, it } from 'vitest';
import { evidenceLogsPort } from '../../functions/aws/evidence-logs.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';
import { evidenceLogsContract } from '../contracts/evidence-logs.contract.ts';
import { testOperations } from '../support/operations.ts';

const logs = mockClient(CloudWatchLogsClient);
const region = Region.parse('us-east-1');
const group = '/hms/orders';
const missing = '/hms/none';
const base = testOperations();
const operations = testOperations({ failover: { ...base.failover, evidence: { logGroups: { [region]: [group, missing] } } } });
const evidenceLogs = evidenceLogsPort({ operations });

const first = Date.UTC(2026, 10, 21, 7);
const events = Array.from({ length: 5 }, (_, index) => ({
  ...{ id: `e${index}`, at: timestamp(new Date(first + index * 1000)), stream: 'task/1', message: `line ${index}` },
}));

/** CloudWatch as its reference describes it: both ends of the window are included, the names are found by prefix, a page holds what fits. */
beforeEach(() => {
  logs.reset();
  const names = ['/aws/lambda/hms-codeblue-guard-lease', '/aws/lambda/hms-codeblue-write-canary', group, `${group}-archive`];
  logs.on(DescribeLogGroupsCommand).callsFake(async ({ logGroupNamePrefix = '', nextToken = '0' }, getClient) => {
    const there = (await getClient().config.region()) === region ? names : [];
    const found = there.filter((name) => name.startsWith(logGroupNamePrefix));
    const at = Number(nextToken);
    const more = at + 1 < found.length ? { nextToken: String(at + 1) } : {};
    return { logGroups: found.slice(at, at + 1).map((logGroupName) => ({ logGroupName })), ...more };
  });
  logs.on(FilterLogEventsCommand).callsFake(({ logGroupName, startTime, endTime, nextToken = '0' }) => {
    if (logGroupName !== group)
      throw Object.assign(new Error('The specified log group does not exist.'), { name: 'ResourceNotFoundException' });
    const found = events.filter(({ at }) => Date.parse(at) >= startTime && Date.parse(at) <= endTime);
    const at = Number(nextToken);
    const more = at + 2 < found.length ? { nextToken: String(at + 2) } : {};
    const page = found.slice(at, at + 2);
    return {
      events: page.map((each) => ({ eventId: each.id, timestamp: Date.parse(each.at), logStreamName: each.stream, message: each.message })),
      ...more,
    };
  });
});

evidenceLogsContract(async () => ({ evidenceLogs, region, group, events, missing }));

it('lists what Codeblue itself logs, functions and machines, on every page', async () => {
  expect((await evidenceLogs.groups(region)).map(({ name }) => name)).toEqual([
    ...['/aws/lambda/hms-codeblue-guard-lease', '/aws/lambda/hms-codeblue-write-canary'],
    ...[missing, group],
  ]);
  const prefixes = logs.commandCalls(DescribeLogGroupsCommand).map(({ args }) => args[0].input.logGroupNamePrefix);
  expect(prefixes).toContain('/aws/vendedlogs/states/hms-codeblue-');
});

it('is asked again when it is throttled', async () => {
  logs.on(FilterLogEventsCommand).rejects(Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' }));
  const window = { from: new Date(first), until: new Date(first + 1) };
  await expect(evidenceLogs.page({ region, group, ...window })).rejects.toThrow(ServiceUnavailable);
});
