import { secretArnIn, stateKeyAlias, topicArn } from '../../functions/common/names.ts';
import type { Need } from '../../functions/common/ports.ts';
import { pageTopics } from '../incidents/page-topics.ts';
import { type Grant, grant } from './grant.ts';
import { keysThroughService } from './key-grants.ts';
import type { RegionScope } from './region-scope.ts';

const pagingNeeds = [
  'channels:send',
  'channels:check',
  'send-rates:reserve',
  'link-signer:sign',
  'link-signer:verify',
] as const satisfies readonly Need[];
type PagingNeed = (typeof pagingNeeds)[number];

export const isPagingNeed = (need: Need): need is PagingNeed => pagingNeeds.some((each) => each === need);

/** The IAM of sending pages; nothing where the deployment pages nobody. */
export function pagingPermissions(need: PagingNeed, scope: RegionScope & { readonly linkKeyArn: string | undefined }): readonly Grant[] {
  const { operations, region, linkKeyArn } = scope;
  if (operations.incidents.mode === 'off') return [];
  switch (need) {
    case 'send-rates:reserve':
      return []; // a line of the state table, which record keeping opens
    case 'channels:send':
      return [
        ...onTopics(scope, ['sns:Publish', 'sns:GetTopicAttributes']),
        keysThroughService(scope, [region], stateKeyAlias(operations), 'sns', ['kms:Decrypt', 'kms:GenerateDataKey']),
        ...channelSecrets(scope),
      ];
    case 'channels:check':
      return [...onTopics(scope, ['sns:ListSubscriptionsByTopic']), ...channelSecrets(scope), ...smsAccount(scope)];
    case 'link-signer:sign':
    case 'link-signer:verify':
      return linkKeyArn ? [grant({ actions: ['kms:GenerateMac'], resources: [linkKeyArn] })] : []; // verified by making it again
  }
}

function onTopics(scope: RegionScope, actions: readonly string[]): readonly Grant[] {
  const { operations, region } = scope;
  const resources = pageTopics(operations).map(({ topicName }) => topicArn(operations, region, topicName));
  return resources.length > 0 ? [grant({ actions, resources })] : [];
}

/** This Region's replicas of the secrets that the config names. */
function channelSecrets({ operations, region }: RegionScope): readonly Grant[] {
  const { pagerdutyRoutingKeySecretArn, slackWebhookSecretArn } = operations.incidents.channels;
  const resources = [pagerdutyRoutingKeySecretArn, slackWebhookSecretArn].flatMap((arn) =>
    arn === undefined ? [] : [secretArnIn(arn, region)],
  );
  return resources.length > 0 ? [grant({ actions: ['secretsmanager:GetSecretValue'], resources })] : [];
}

/** Whether SMS can arrive at all is a matter of the account. */
function smsAccount({ operations }: RegionScope): readonly Grant[] {
  const anySms = operations.incidents.people.some(({ urgent, calm = [] }) => [...urgent, ...calm].some(({ kind }) => kind === 'sms'));
  if (!anySms) return [];
  return [
    grant({
      actions: ['sns:CheckIfPhoneNumberIsOptedOut', 'sns:GetSMSSandboxAccountStatus', 'sns:ListSMSSandboxPhoneNumbers'],
      resources: ['*'],
      because: 'SMS settings belong to the account and know no resource; they are read, never changed',
    }),
  ];
}
