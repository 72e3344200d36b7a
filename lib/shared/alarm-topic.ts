import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { alarmTopicName } from '../../functions/common/names.ts';
import type { RegionScope } from './region-scope.ts';
import type { RegionalKeys } from './regional-keys.ts';

/** Where alarms of one Region go: the on-call contact, by e-mail, over an encrypted topic. */
export class AlarmTopic extends Construct {
  readonly topic: sns.Topic;
  readonly deploymentName: string;
  /** Name of the person or team that answers, as the config has it. */
  readonly owner: string;

  constructor(parent: Construct, { operations }: RegionScope, keys: RegionalKeys) {
    super(parent, 'Alarms');
    this.deploymentName = operations.name;
    this.owner = operations.contacts.owner.name;
    this.topic = new sns.Topic(this, 'Topic', {
      topicName: alarmTopicName(operations),
      displayName: `Codeblue ${operations.name}`,
      masterKey: keys.state,
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    this.topic.addSubscription(new EmailSubscription(operations.contacts.onCall.email));
  }
}
