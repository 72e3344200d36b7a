import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FailoverPolicy } from '../../functions/common/failover-policy.ts';
import { stepLists, stepNamed } from '../../functions/tasks.ts';
import { bundleFunctions } from '../../scripts/bundle.ts';
import { movableOperations } from '../support/failover-world.ts';
import { type FunctionPolicy, functionPolicies, type Statement } from '../support/function-policies.ts';
import { resourcesOf, synthesizedApp, type Template } from '../support/synthesized-app.ts';

/**
 * Row F6, statically: in each Region that can lead, the failover machine and every function in it name no other Region and no control plane that is
 * hosted in one Region for all.
 */
const routing = FailoverPolicy.shape.routing.parse({
  arc: {
    clusterEndpoints: ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-northeast-1', 'ap-southeast-2'].map((region) => ({
      region,
      url: `https://abc.route53-recovery-cluster.${region}.amazonaws.com/v1`,
    })),
    controls: {
      'us-east-1': 'arn:aws:route53-recovery-control::111122223333:controlpanel/p/routingcontrol/a',
      'us-west-2': 'arn:aws:route53-recovery-control::111122223333:controlpanel/p/routingcontrol/b',
    },
  },
});
const operations = movableOperations({ routing });
const app = synthesizedApp(operations);
const { primary, standby, tertiary } = operations.regions;
const candidates = [primary, standby];
const everyRegion = [primary, standby, tertiary, operations.failover.witness];

const MachineProperties = z.object({ StateMachineName: z.string(), DefinitionString: z.unknown() });
const FunctionProperties = z.object({ Environment: z.object({ Variables: z.object({ CODEBLUE_OPERATION: z.string() }) }) });

/** Operations that the failover machine of a template can invoke, found by walking its definition's references to their functions. */
function operationsIn(template: Template): readonly string[] {
  const machine = resourcesOf(template, 'AWS::StepFunctions::StateMachine')
    .map(([, { Properties }]) => MachineProperties.parse(Properties))
    .find(({ StateMachineName }) => StateMachineName === 'hms-codeblue-failover');
  const references = [...JSON.stringify(machine?.DefinitionString ?? '').matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g)];
  const ids = new Set(references.flatMap(([, id]) => id ?? []));
  return [...ids].map((id) => FunctionProperties.parse(template.Resources[id]?.Properties).Environment.Variables.CODEBLUE_OPERATION);
}

const distant = /^(route53|iam|sts|organizations|cloudfront|globalaccelerator|route53-recovery-control-config):/;

/** What a statement reaches outside of `region`. */
function reaches({ Action, Resource, Condition }: Statement, region: string): readonly string[] {
  const others = everyRegion.filter((each) => each !== region);
  const named = [...Resource, JSON.stringify(Condition ?? {})].filter((text) => others.some((other) => text.includes(other)));
  const anywhere = Resource.filter((arn) => /^arn:[^:]*:[^:]*:\*:/.test(arn));
  return [...Action.filter((action) => distant.test(action)), ...named, ...anywhere];
}

const findings = (policies: readonly FunctionPolicy[], region: string) =>
  policies.flatMap(({ operation, statements }) =>
    statements.flatMap((each) => reaches(each, region).map((what) => `${operation}: ${what}`)),
  );

describe.each(candidates)('in %s', (region) => {
  const template = app.template(region);
  const called = operationsIn(template);
  const policies = functionPolicies(template).filter(({ operation }) => called.includes(operation));

  test('the machine calls its steps, and each has a role of its own', () => {
    expect(called.length).toBeGreaterThan(15);
    expect(policies.map(({ operation }) => operation).sort()).toEqual([...called].sort());
    expect(called.map((name) => stepNamed(name).kind)).not.toContain('task');
  });

  test('no role names another Region, a pattern of Regions, or a distant control plane', () => {
    expect(policies.flatMap(({ statements }) => statements).length).toBeGreaterThan(called.length * 2);
    expect(findings(policies, region)).toEqual([]);
  });

  test('and each is denied whatever leaves the Region, and distant control planes by name', () => {
    for (const { operation, denials } of policies) {
      const [leaving, far, ...more] = denials;
      expect({ operation, leaving, more }).toEqual({
        operation,
        leaving: {
          Effect: 'Deny',
          Action: [],
          NotAction: ['route53-recovery-cluster:*'], // the data plane of routing controls: five Regions, any of which serves
          Resource: ['*'],
          Condition: { StringNotEquals: { 'aws:RequestedRegion': region } },
        },
        more: [],
      });
      expect(far?.Action).toEqual(expect.arrayContaining(['route53:*', 'iam:*']));
      expect(far?.Condition).toBeUndefined();
    }
  });

  test('neither does what is new in a recovery, which exchanges a database of this Region', () => {
    const names = stepLists.recovery.map(({ name }) => name);
    const recovering = functionPolicies(template).filter(({ operation }) => names.includes(operation));
    expect(recovering.map(({ operation }) => operation).sort()).toEqual([...names].sort());
    expect(findings(recovering, region)).toEqual([]);
    expect(recovering.filter(({ denials }) => denials.length !== 2)).toEqual([]);
  });

  test('the definition itself names no Region', () => {
    const text = JSON.stringify(
      resourcesOf(template, 'AWS::StepFunctions::StateMachine').map(([, { Properties }]) => Properties.DefinitionString),
    );
    expect(everyRegion.filter((each) => text.includes(each))).toEqual([]);
  });
});

test('the Region that cannot lead has no such machine', () => {
  expect(operationsIn(app.template(tertiary))).toEqual([]);
});

describe('the checks above find', () => {
  const statement = (change: Partial<Statement>): Statement => ({
    Effect: 'Allow',
    Action: ['rds:DescribeDBInstances'],
    Resource: [],
    ...change,
  });

  test.each([
    ['another Region in a resource', statement({ Resource: [`arn:aws:rds:${primary}:111122223333:db:hms`] })],
    ['another Region in a bucket', statement({ Resource: [`arn:aws:s3:::hms-codeblue-111122223333-${primary}`] })],
    ['another Region in a condition', statement({ Condition: { StringEquals: { 'kms:ViaService': `rds.${primary}.amazonaws.com` } } })],
    ['every Region', statement({ Resource: ['arn:aws:rds:*:111122223333:db:hms'] })],
    ['a record of a name', statement({ Action: ['route53:ChangeResourceRecordSets'] })],
    ['a role', statement({ Action: ['iam:PassRole'] })],
  ])('%s', (_, given) => {
    expect(reaches(given, standby)).toHaveLength(1);
  });

  test('a step that may act in the Region that is lost: one of the backup tasks, held to the same rule', () => {
    const others = functionPolicies(app.template(standby)).filter(({ operation }) => operation === 'backup-database');
    expect(findings(others, standby).length).toBeGreaterThan(0);
  });
});

const directory = mkdtempSync(join(tmpdir(), 'codeblue-stays-home-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('no client of Route 53 or IAM is in what is deployed', async () => {
  const inputs: string[] = [];
  await bundleFunctions({
    operations,
    directory,
    instead: {
      plugins: [{ name: 'modules', setup: ({ onLoad }) => onLoad({ filter: /@aws-sdk/ }, ({ path }) => void inputs.push(path)) }],
    },
  });
  const clients = new Set(inputs.flatMap((path) => /@aws-sdk[/\\](client-[\w-]+)/.exec(path)?.[1] ?? []));
  expect([...clients]).toContain('client-rds');
  expect([...clients].filter((client) => /^client-(route-?53|iam|cloudfront)$/.test(client))).toEqual([]);
});
