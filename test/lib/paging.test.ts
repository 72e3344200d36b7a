import { AwsSolutionsChecks, HIPAASecurityChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { environmentNames } from '../../functions/common/names.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import { functionPolicies } from '../support/function-policies.ts';
import { testOperations } from '../support/operations.ts';
import { pagingOperations } from '../support/paging-world.ts';
import { resourcesOf, synthesizedApp } from '../support/synthesized-app.ts';

const given = pagingOperations({ ada: ['email', 'sms', 'https', 'pagerduty', 'slack'], ben: ['email'] });
const secret = (name: string) => `arn:aws:secretsmanager:us-east-1:111122223333:secret:${name}-AbCdEf`;
const channels = { ...given.incidents.channels, pagerdutyRoutingKeySecretArn: secret('pagerduty'), slackWebhookSecretArn: secret('slack') };
const operations = testOperations({ incidents: { ...given.incidents, channels } });
const synthesized = synthesizedApp(operations);

const Topic = z.looseObject({ TopicName: z.string(), KmsMasterKeyId: z.unknown() });
const Subscription = z.looseObject({ Protocol: z.string(), Endpoint: z.union([z.string(), z.looseObject({})]) });
const Key = z.looseObject({ KeySpec: z.string().optional() });

describe.each(regionsOf(operations))('paging from %s', (region) => {
  const template = synthesized.template(region);
  const properties = (type: string) => resourcesOf(template, type).map(([, resource]) => resource.Properties);
  const policyOf = (operation: string) => functionPolicies(template).find((each) => each.operation === operation);

  test('has a topic under our key for each way to each person, with that one subscription', () => {
    const topics = properties('AWS::SNS::Topic')
      .map((topic) => Topic.parse(topic))
      .filter(({ TopicName }) => TopicName.includes('-page-'));
    expect(topics.map(({ TopicName }) => TopicName.replace(/-[0-9a-f]{8}$/, '')).toSorted()).toEqual([
      'hms-codeblue-page-ada-email',
      'hms-codeblue-page-ada-https',
      'hms-codeblue-page-ada-sms',
      'hms-codeblue-page-ben-email',
    ]);
    for (const { KmsMasterKeyId } of topics) expect(JSON.stringify(KmsMasterKeyId)).toContain('KeysState');
    const subscriptions = properties('AWS::SNS::Subscription').map((each) => Subscription.parse(each));
    expect(subscriptions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ Protocol: 'email', Endpoint: 'ada@example.org' }),
        expect.objectContaining({ Protocol: 'sms', Endpoint: '+15551234567' }),
        expect.objectContaining({ Protocol: 'https', Endpoint: 'https://ada.example.org/page' }),
      ]),
    );
  });

  test('has a key for links that does nothing but MACs, and senders know where links lead', () => {
    expect(properties('AWS::KMS::Key').filter((key) => Key.parse(key).KeySpec === 'HMAC_256')).toHaveLength(1);
    const Worker = z.looseObject({ Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).optional() });
    const variables = properties('AWS::Lambda::Function').map((each) => Worker.parse(each).Environment?.Variables ?? {});
    for (const operation of ['send-pages', 'test-paging']) {
      const own = variables.find((each) => each[environmentNames.operation] === operation);
      expect(own?.[environmentNames.acknowledgeUrl], operation).toBeDefined();
    }
  });

  test('whoever sends may publish to the topics of people and to nothing else', () => {
    const { statements = [] } = policyOf('send-pages') ?? {};
    const publishing = statements.filter(({ Action }) => Action.includes('sns:Publish'));
    expect(
      publishing.flatMap(({ Resource }) => Resource).every((arn) => arn.includes(`:${region}:`) && arn.includes('hms-codeblue-page-')),
    ).toBe(true);
    expect(publishing.flatMap(({ Resource }) => Resource)).toHaveLength(4);
    const secrets = statements.filter(({ Action }) => Action.includes('secretsmanager:GetSecretValue')).flatMap(({ Resource }) => Resource);
    expect(secrets.toSorted()).toEqual(['pagerduty', 'slack'].map((name) => secret(name).replace('us-east-1', region)));
  });

  test('the endpoint verifies links and sends nothing', () => {
    const actions = policyOf('acknowledge-endpoint')?.statements.flatMap(({ Action }) => Action) ?? [];
    expect(actions).toContain('kms:GenerateMac');
    expect(actions.filter((action) => action.startsWith('sns:') || action.startsWith('states:'))).toEqual([]);
  });

  test('the auditor sends by the alarm topic alone', () => {
    const { statements = [] } = policyOf('audit-pager') ?? {};
    const topics = statements.filter(({ Action }) => Action.includes('sns:Publish')).flatMap(({ Resource }) => Resource);
    expect(topics.length).toBeGreaterThan(0);
    expect(topics.every((arn) => arn.endsWith(':hms-codeblue-alarms'))).toBe(true);
  });
});

test.each([
  ['AwsSolutions', () => new AwsSolutionsChecks(synthesized.app)],
  ['HIPAA.Security', () => new HIPAASecurityChecks(synthesized.app)],
])('%s finds nothing that is not acknowledged', (_, pack) => {
  const found = pack()
    .validateScope(synthesized.app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    );
  expect(found).toEqual([]);
});

test('a deployment whose alarms go by mail has none of it', () => {
  const off = synthesizedApp(testOperations({ incidents: { ...given.incidents, mode: 'off' } })).template('us-east-1');
  const names = resourcesOf(off, 'AWS::SNS::Topic').map(([, { Properties }]) => Topic.parse(Properties).TopicName);
  expect(names).toEqual(['hms-codeblue-alarms']);
  expect(functionPolicies(off).map(({ operation }) => operation)).not.toContain('audit-pager');
});
