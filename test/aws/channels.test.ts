import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text as bodyOf } from 'node:stream/consumers';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CheckIfPhoneNumberIsOptedOutCommand,
  GetSMSSandboxAccountStatusCommand,
  GetTopicAttributesCommand,
  ListSMSSandboxPhoneNumbersCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { channelsPort } from '../../functions/aws/channels.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';
import type { ContactMethod } from '../../functions/common/incident-policy.ts';
import { AlarmName, IncidentId, Subject } from '../../functions/incidents/models.ts';
import { ChannelRefused } from '../../functions/incidents/paging/errors.ts';
import { AcknowledgeUrl, pageText } from '../../functions/incidents/paging/page-text.ts';
import { awsSettings } from '../support/aws-settings.ts';
import { testOperations } from '../support/operations.ts';

const sns = mockClient(SNSClient);
const secrets = mockClient(SecretsManagerClient);

const page = pageText({
  kind: 'incident',
  incidentId: IncidentId.parse('inc-20261121t070000z-1f2e3d4c5b'),
  severity: 1,
  region: Region.parse('us-east-1'),
  alarm: AlarmName.parse('ServiceDown'),
  subject: Subject.parse('orders'),
  openedAt: timestamp(new Date('2026-11-21T07:00:00Z')),
  firing: 1,
  signals: 1,
  attempt: 1,
  acknowledgeUrl: AcknowledgeUrl.parse(`https://ack.example.org/${'A'.repeat(50)}`),
});
const pageId = 'inc-20261121t070000z-1f2e3d4c5b/1/0/0/ada/0';

const base = testOperations();
const secret = (name: string) => `arn:aws:secretsmanager:us-west-2:111122223333:secret:${name}-AbCdEf`;
const operations = testOperations({
  incidents: {
    ...base.incidents,
    mode: 'on',
    channels: { ...base.incidents.channels, pagerdutyRoutingKeySecretArn: secret('pagerduty'), slackWebhookSecretArn: secret('slack') },
  },
});

/** What the internet answers; requests that it got. */
let answer: { status: number; body: string; hangs?: boolean };
const requests: { url: string | undefined; body: unknown }[] = [];
let server: Server;
let address: string;

beforeAll(async () => {
  server = createServer(async (request: IncomingMessage, response) => {
    requests.push({ url: request.headers['x-asked-for']?.toString(), body: JSON.parse(await bodyOf(request)) });
    if (answer.hangs) return void response.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  address = typeof bound === 'object' && bound ? `http://127.0.0.1:${bound.port}/` : '';
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

beforeEach(() => {
  sns.reset();
  secrets.reset();
  requests.length = 0;
  answer = { status: 202, body: '{"status":"success","message":"Event processed","dedup_key":"the key"}' };
  secrets
    .on(GetSecretValueCommand, { SecretId: secret('pagerduty').replace('us-west-2', 'us-east-1') })
    .resolves({ SecretString: `${'k'.repeat(32)}\n` });
  secrets
    .on(GetSecretValueCommand, { SecretId: secret('slack').replace('us-west-2', 'us-east-1') })
    .resolves({ SecretString: 'https://hooks.slack.example.org/services/T0/B0/x' });
  sns.on(GetTopicAttributesCommand).resolves({ Attributes: { SubscriptionsConfirmed: '1' } });
  sns.on(PublishCommand).resolves({ MessageId: 'm-1' });
});

/** The channels, with a real HTTP server in the place of the internet. */
const channels = (given = operations) =>
  channelsPort(awsSettings(given), (url, request) => fetch(address, { ...request, headers: { ...request.headers, 'x-asked-for': url } }));
const send = (method: ContactMethod, given = operations) => channels(given).send({ person: 'ada', method, pageId }, page);

describe('SNS', () => {
  const email = { kind: 'email', address: 'ada@example.org' } as const;
  const sms = { kind: 'sms', number: '+15551234567' } as const;
  const TopicArn = expect.stringMatching(/^arn:aws:sns:us-east-1:111122223333:hms-codeblue-page-ada-(email|sms|https)-[0-9a-f]{8}$/);

  it('takes a mail on the topic of that person and address', async () => {
    expect(await send(email)).toBe('m-1');
    expect(sns.commandCalls(PublishCommand)[0]?.args[0].input).toEqual({ TopicArn, Subject: page.subject, Message: page.body });
  });

  it('takes an SMS of one part, transactional', async () => {
    await send(sms);
    expect(sns.commandCalls(PublishCommand)[0]?.args[0].input).toEqual({
      TopicArn,
      Message: page.short,
      MessageAttributes: { 'AWS.SNS.SMS.SMSType': { DataType: 'String', StringValue: 'Transactional' } },
    });
  });

  it('gives an HTTPS endpoint the facts and the id of the page', async () => {
    await send({ kind: 'https', url: 'https://pager.example.org/in' });
    const { Message = '' } = sns.commandCalls(PublishCommand)[0]?.args[0].input ?? {};
    expect(JSON.parse(Message)).toMatchObject({ version: 1, pageId, person: 'ada', facts: { kind: 'incident', alarm: 'ServiceDown' } });
  });

  it('does not take for sent what is published to nobody', async () => {
    sns.on(GetTopicAttributesCommand).resolves({ Attributes: { SubscriptionsConfirmed: '0' } });
    await expect(send(email)).rejects.toThrow(ChannelRefused);
    expect(sns.commandCalls(PublishCommand)).toHaveLength(0);
  });

  it('publishes all the same when nobody can tell whether it is confirmed', async () => {
    sns.on(GetTopicAttributesCommand).rejects(Object.assign(new Error('slow down'), { name: 'Throttling' }));
    expect(await send(email)).toBe('m-1');
  });

  it.each([
    ['NotFound', ChannelRefused],
    ['AuthorizationError', ChannelRefused],
    ['Throttling', ServiceUnavailable],
    ['InternalError', ServiceUnavailable],
  ])('says of %s whether asking again can help', async (name, expected) => {
    sns.on(PublishCommand).rejects(Object.assign(new Error('no'), { name }));
    await expect(send(email)).rejects.toThrow(expected);
  });

  it.each([
    ['arn:aws:sns:us-east-1:111122223333:t:1', []],
    ['PendingConfirmation', [expect.stringContaining('waits to be confirmed')]],
    ['Deleted', [expect.stringContaining('unsubscribed')]],
  ])('finds a subscription that is %s', async (SubscriptionArn, findings) => {
    sns.on(ListSubscriptionsByTopicCommand).resolves({ Subscriptions: [{ SubscriptionArn }] });
    expect(await channels().check({ person: 'ada', method: email })).toEqual(findings);
  });

  it('finds a number that cannot be reached from the sandbox, or has opted out', async () => {
    sns.on(ListSubscriptionsByTopicCommand).resolves({ Subscriptions: [{ SubscriptionArn: 'arn:aws:sns:x' }] });
    sns.on(CheckIfPhoneNumberIsOptedOutCommand).resolves({ isOptedOut: true });
    sns.on(GetSMSSandboxAccountStatusCommand).resolves({ IsInSandbox: true });
    sns.on(ListSMSSandboxPhoneNumbersCommand).resolves({ PhoneNumbers: [{ PhoneNumber: sms.number, Status: 'Pending' }] });
    expect(await channels().check({ person: 'ada', method: sms })).toEqual([
      expect.stringContaining('opted out'),
      expect.stringContaining('sandbox'),
    ]);
    sns.on(CheckIfPhoneNumberIsOptedOutCommand).resolves({ isOptedOut: false });
    sns.on(ListSMSSandboxPhoneNumbersCommand).resolves({ PhoneNumbers: [{ PhoneNumber: sms.number, Status: 'Verified' }] });
    expect(await channels().check({ person: 'ada', method: sms })).toEqual([]);
  });
});

describe('PagerDuty', () => {
  it('takes an event by the documented form, with the id of the page as its key', async () => {
    expect(await send({ kind: 'pagerduty' })).toBe('the key');
    expect(requests).toMatchObject([
      {
        url: 'https://events.pagerduty.com/v2/enqueue',
        body: {
          routing_key: 'k'.repeat(32),
          event_action: 'trigger',
          dedup_key: pageId,
          payload: { summary: page.subject, source: 'codeblue/us-east-1', severity: 'critical', component: 'orders', class: 'ServiceDown' },
          links: [{ text: 'Acknowledge' }],
        },
      },
    ]);
  });

  it.each([
    [400, ChannelRefused],
    [403, ChannelRefused],
    [429, ServiceUnavailable],
    [503, ServiceUnavailable],
  ])('says of %i whether asking again can help', async (status, expected) => {
    answer = { status, body: '{}' };
    await expect(send({ kind: 'pagerduty' })).rejects.toThrow(expected);
  });

  it('is refused where the config names no secret, or it is none, and its text is not told', async () => {
    await expect(send({ kind: 'pagerduty' }, base)).rejects.toThrow('the config names no secret');
    secrets.on(GetSecretValueCommand).resolves({ SecretString: 'not-a-key-but-secret' });
    const refused = await send({ kind: 'pagerduty' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ChannelRefused);
    expect(String(refused)).not.toContain('secret-but');
    expect(String(refused)).not.toContain('not-a-key');
    expect(await channels().check({ person: 'ada', method: { kind: 'pagerduty' } })).toEqual([expect.stringContaining('its secret')]);
  });
});

describe('Slack', () => {
  it('takes the text at the address of the secret', async () => {
    answer = { status: 200, body: 'ok' };
    expect(await send({ kind: 'slack' })).toBe(`slack ${pageId}`);
    expect(requests).toEqual([
      { url: 'https://hooks.slack.example.org/services/T0/B0/x', body: { text: `*${page.subject}* (for ada)\n${page.body}` } },
    ]);
  });

  it('does not tell its address when it cannot be reached', async () => {
    answer = { status: 0, body: '', hangs: true };
    const refused = await send({ kind: 'slack' }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ServiceUnavailable);
    expect(String(refused)).not.toContain('hooks.slack');
  });

  it('is found broken when its secret is not in this Region', async () => {
    secrets.on(GetSecretValueCommand).rejects(Object.assign(new Error('none'), { name: 'ResourceNotFoundException' }));
    expect(await channels().check({ person: 'ada', method: { kind: 'slack' } })).toEqual([
      'ada by slack in us-east-1: its secret does not exist in us-east-1: replicate it there',
    ]);
  });
});
