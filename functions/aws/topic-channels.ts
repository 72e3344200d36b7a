import {
  CheckIfPhoneNumberIsOptedOutCommand,
  GetSMSSandboxAccountStatusCommand,
  GetTopicAttributesCommand,
  ListSMSSandboxPhoneNumbersCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { NotFound, ServiceUnavailable } from '../common/errors.ts';
import type { ContactMethod } from '../common/incident-policy.ts';
import { pageTopicName, topicArn } from '../common/names.ts';
import { ChannelRefused } from '../incidents/paging/errors.ts';
import type { PageText } from '../incidents/paging/page-text.ts';
import type { Channels, Recipient } from '../incidents/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/** Two attempts of 5 s and a pause: a page is its sender's for 30 s, and the next channel must not wait for a service that hangs. */
const snsIn = perRegion(
  (region) =>
    new SNSClient({
      ...clientOptions(region),
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
    }),
);

type TopicMethod = Extract<ContactMethod, { kind: 'email' | 'sms' | 'https' }>;

const addressOf = (method: TopicMethod): string => {
  switch (method.kind) {
    case 'email':
      return method.address;
    case 'sms':
      return method.number;
    case 'https':
      return method.url;
  }
};

/** How long a topic that had a confirmed subscription is believed to have one. */
const believeMilliseconds = 60_000;

/** One SNS topic for each way to reach somebody (lib/incidents/page-topics.ts). */
export function topicChannels({ operations, region, clock }: AwsSettings): Channels {
  const sns = snsIn(region);
  const confirmedUntil = new Map<string, number>();

  function topicOf({ person, method }: Recipient): { readonly TopicArn: string; readonly method: TopicMethod } {
    if (method.kind === 'pagerduty' || method.kind === 'slack') throw new ChannelRefused(`${method.kind} has no topic`);
    return { TopicArn: topicArn(operations, region, pageTopicName(operations, person, method.kind, addressOf(method))), method };
  }

  /** SNS takes what it publishes to nobody without a word: that would be a page that nobody gets. A look that fails keeps no page back. */
  async function assertConfirmed(TopicArn: string): Promise<void> {
    if ((confirmedUntil.get(TopicArn) ?? 0) > clock.now().getTime()) return;
    const looked = sns.send(new GetTopicAttributesCommand({ TopicArn }));
    const { Attributes } = await looked.catch(() => ({ Attributes: undefined }));
    if (Attributes?.SubscriptionsConfirmed === '0') throw new ChannelRefused('nobody has confirmed the subscription');
    confirmedUntil.set(TopicArn, clock.now().getTime() + believeMilliseconds);
  }

  return {
    async send(to, text) {
      const { TopicArn, method } = topicOf(to);
      if (method.kind !== 'sms') await assertConfirmed(TopicArn); // a number needs no confirmation
      const command = new PublishCommand({ TopicArn, ...messageOf(method.kind, to, text) });
      try {
        const { MessageId } = await calling(`publish a page by ${method.kind}`, () => sns.send(command));
        if (!MessageId) throw new ServiceUnavailable('SNS answered without a message id');
        return MessageId;
      } catch (error) {
        if (error instanceof ServiceUnavailable || error instanceof ChannelRefused) throw error;
        throw new ChannelRefused(error instanceof NotFound ? 'its topic does not exist: deploy' : 'SNS refuses it', { cause: error });
      }
    },
    async check(to) {
      const { TopicArn, method } = topicOf(to);
      try {
        return [...(await subscriptionFindings(TopicArn)), ...(method.kind === 'sms' ? await smsFindings(method.number) : [])];
      } catch (error) {
        if (error instanceof NotFound) return ['its topic does not exist: deploy'];
        throw error;
      }
    },
  };

  async function subscriptionFindings(TopicArn: string): Promise<readonly string[]> {
    const { Subscriptions = [] } = await calling('list subscriptions', () => sns.send(new ListSubscriptionsByTopicCommand({ TopicArn })));
    const arns = Subscriptions.map(({ SubscriptionArn = '' }) => SubscriptionArn);
    if (arns.some((arn) => arn.startsWith('arn:'))) return [];
    if (arns.includes('PendingConfirmation')) return ['its subscription waits to be confirmed'];
    return [arns.includes('Deleted') ? 'somebody has unsubscribed it' : 'it has no subscription: deploy'];
  }

  async function smsFindings(phoneNumber: string): Promise<readonly string[]> {
    const [{ isOptedOut }, { IsInSandbox }] = await Promise.all([
      calling('look whether a number has opted out', () => sns.send(new CheckIfPhoneNumberIsOptedOutCommand({ phoneNumber }))),
      calling('look whether SMS are in the sandbox', () => sns.send(new GetSMSSandboxAccountStatusCommand({}))),
    ]);
    const optedOut = isOptedOut ? ['the number has opted out of SMS from AWS'] : [];
    if (!IsInSandbox) return optedOut;
    const { PhoneNumbers = [] } = await calling('list the numbers of the sandbox', () =>
      sns.send(new ListSMSSandboxPhoneNumbersCommand({})),
    );
    const verified = PhoneNumbers.some(({ PhoneNumber, Status }) => PhoneNumber === phoneNumber && Status === 'Verified');
    return verified ? optedOut : [...optedOut, 'SMS are in the sandbox, and the number is not verified there'];
  }
}

type Message = Pick<ConstructorParameters<typeof PublishCommand>[0], 'Subject' | 'Message' | 'MessageAttributes'>;

function messageOf(
  kind: TopicMethod['kind'],
  { pageId, person }: { readonly pageId: string; readonly person: string },
  text: PageText,
): Message {
  switch (kind) {
    case 'email':
      return { Subject: text.subject, Message: text.body };
    case 'sms': {
      const attribute = { DataType: 'String', StringValue: 'Transactional' }; // the delivery that is optimised for reliability, not for cost
      return { Message: text.short, MessageAttributes: { 'AWS.SNS.SMS.SMSType': attribute } };
    }
    case 'https':
      return { Subject: text.subject, Message: JSON.stringify({ version: 1, pageId, person, text: text.body, facts: text.facts }) };
  }
}
