import { CfnResource, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, HIPAASecurityChecks, type NagPack } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { monitoredOperations } from '../support/monitored.ts';
import { synthesizedApp } from '../support/synthesized-app.ts';

const { app } = synthesizedApp(monitoredOperations({ incidents: 'on' })); // all that can be deployed
const packs = { AwsSolutions: () => new AwsSolutionsChecks(app), 'HIPAA.Security': () => new HIPAASecurityChecks(app) };
const findings = (pack: NagPack) =>
  pack
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    );

test.each(Object.entries(packs))('%s finds nothing that is not acknowledged', (_, pack) => {
  expect(findings(pack())).toEqual([]);
});

interface Acknowledged {
  readonly construct: IConstruct;
  readonly id: string;
  readonly reason: string;
}

const Acknowledgement = z.record(z.string(), z.string());
const acknowledged: readonly Acknowledged[] = app.node.findAll().flatMap((construct) =>
  construct.node.metadata
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .flatMap(({ data }) => Object.entries(Acknowledgement.parse(data)))
    .map(([id, reason]) => ({ construct, id: id.replace(/^annotation::/i, ''), reason })),
);

test('each acknowledgement stands at the construct concerned and says why', () => {
  expect(acknowledged.length).toBeGreaterThan(20);
  const broad = acknowledged.filter(
    ({ construct }) => construct.node.findAll().filter((each) => CfnResource.isCfnResource(each)).length > 3,
  );
  expect(broad.map(({ construct, id }) => `${id} at ${construct.node.path}`)).toEqual([]);
  expect(acknowledged.filter(({ reason }) => reason.split(' ').length < 5)).toEqual([]);
});

test('no acknowledgement outlives what it acknowledges', () => {
  const found = new Set(Object.values(packs).flatMap((pack) => findings(unforgiving(pack()))));
  const stale = acknowledged
    .filter(({ id }) => /^(AwsSolutions|HIPAA\.Security)-/.test(id)) // CDK acknowledges some rules of its own
    .filter(({ construct, id }) => ![...found].some((finding) => finding.startsWith(`${id} at ${construct.node.path}`)));
  expect(stale.map(({ construct, id }) => `${id} at ${construct.node.path}`)).toEqual([]);
});

/** The same pack, deaf to acknowledgements. */
function unforgiving(pack: NagPack): NagPack {
  return Object.assign(pack, { isAcknowledged: () => false });
}

test('the check above is awake: an open bucket is found', () => {
  const { app: careless } = synthesizedApp();
  const [stack] = careless.node.children;
  if (!stack) throw new Error('the app has no stacks');
  new Bucket(stack, 'Careless');
  expect(new AwsSolutionsChecks(careless).validateScope(careless).violations.map(({ ruleName }) => ruleName)).toContain('AwsSolutions-S10');
});
