import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, SmsSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { ContactMethod } from '../../functions/common/incident-policy.ts';
import { pageTopicName } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { allMethods } from '../../functions/incidents/paging/contact.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/** One way to reach one person over SNS. */
interface PageTopic {
  readonly topicName: string;
  readonly person: string;
  readonly subscription: sns.ITopicSubscription;
}

function overSns(method: ContactMethod): { readonly address: string; readonly subscription: sns.ITopicSubscription } | undefined {
  switch (method.kind) {
    case 'email':
      return { address: method.address, subscription: new EmailSubscription(method.address) };
    case 'sms':
      return { address: method.number, subscription: new SmsSubscription(method.number) };
    case 'https':
      return { address: method.url, subscription: new UrlSubscription(method.url, { protocol: sns.SubscriptionProtocol.HTTPS }) };
    case 'pagerduty':
    case 'slack':
      return undefined;
  }
}

/** Every topic that a deployment's people are paged by, the same ones in each Region. */
export const pageTopics = (operations: Operations): readonly PageTopic[] =>
  operations.incidents.people.flatMap((person) =>
    allMethods(person).flatMap((method) => {
      const way = overSns(method);
      if (!way || method.kind === 'pagerduty' || method.kind === 'slack') return [];
      return [
        { topicName: pageTopicName(operations, person.id, method.kind, way.address), person: person.id, subscription: way.subscription },
      ];
    }),
  );

/**
 * A topic with one subscription for each way to reach somebody over SNS, so that a page to one person is nobody else's, and each is suspended, confirmed and measured
 * alone. In every Region: a Region that is lost takes no other's channels along.
 */
export class PageTopics extends Construct {
  constructor(parent: Construct, { operations }: RegionScope, keys: RegionalKeys) {
    super(parent, 'PageTopics');
    for (const { topicName, person, subscription } of pageTopics(operations)) {
      const topic = new sns.Topic(this, topicName, {
        topicName,
        displayName: `Codeblue ${operations.name}`, // stands before the text of an SMS, and as the sender of a mail
        masterKey: keys.state,
        enforceSSL: true,
      });
      topic.addSubscription(subscription);
      topic.node.addMetadata('codeblue:person', person);
    }
  }
}
