import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { metricsPort } from '../../functions/aws/metrics.ts';
import { loadPorts } from '../../functions/aws/ports.ts';
import { settingsFromEnvironment } from '../../functions/aws/settings.ts';
import { InvalidInput } from '../../functions/common/errors.ts';
import type { Ports } from '../../functions/common/ports.ts';
import { awsSettings } from '../support/aws-settings.ts';
import { testOperations } from '../support/operations.ts';

async function fileWith(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'codeblue-settings-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'operations.json');
  await writeFile(path, text);
  return path;
}

it('the deployment is read from the file that the environment names, and names follow from it', async () => {
  const CODEBLUE_OPERATIONS = await fileWith(JSON.stringify(testOperations()));
  const settings = settingsFromEnvironment({ AWS_REGION: 'us-west-2', CODEBLUE_OPERATIONS });
  expect(settings.operations).toEqual(testOperations());
  expect(settings).toMatchObject({ region: 'us-west-2', stateTable: 'hms-codeblue-state', auditTable: 'hms-codeblue-audit-events' });
});

it('names that the environment gives win', () => {
  const given = {
    STATE_TABLE: 'other-state',
    AUDIT_TABLE: 'other-audit',
    ISOLATED_SUBNET_GROUP: 'theirs',
    ISOLATED_SECURITY_GROUP_ID: 'sg-1',
  };
  const settings = settingsFromEnvironment({ AWS_REGION: 'us-east-1', ...given }, { operations: testOperations() });
  expect(settings).toMatchObject({
    stateTable: 'other-state',
    auditTable: 'other-audit',
    isolatedSubnetGroup: 'theirs',
    isolatedSecurityGroupId: 'sg-1',
  });
});

it('a wrong environment or file is refused by name', async () => {
  const withOperations = { operations: testOperations() };
  expect(() => settingsFromEnvironment({}, withOperations)).toThrow(/AWS_REGION/);
  expect(() => settingsFromEnvironment({ AWS_REGION: 'us-east-1', ISOLATED_SECURITY_GROUP_ID: 'group' }, withOperations)).toThrow(
    /ISOLATED_SECURITY_GROUP_ID/,
  );
  for (const CODEBLUE_OPERATIONS of [await fileWith('{"name":"HMS"}'), await fileWith('not json'), '/nowhere/operations.json']) {
    expect(() => settingsFromEnvironment({ AWS_REGION: 'us-east-1', CODEBLUE_OPERATIONS })).toThrow(InvalidInput);
  }
});

it('every port that a task may need can be loaded, and only those that were named are', async () => {
  const names: readonly (keyof Ports)[] = [
    ...(['auditLog', 'databases', 'executions', 'ledger', 'manifests', 'metrics', 'proofs'] as const),
    ...(['recoveryPoints', 'signer', 'snapshotIntegrity', 'sqlServers', 'stateBackups', 'taskInvoker', 'vault'] as const),
  ];
  const ports = await loadPorts(names, awsSettings());
  expect(Object.keys(ports).toSorted()).toEqual([...names].toSorted());
  for (const name of names) expect(ports[name]).toBeTypeOf('object');
  expect(Object.keys(await loadPorts(['ledger'], awsSettings()))).toEqual(['ledger']);
});

it('a metric is one line of the embedded metric format', async () => {
  const lines: string[] = [];
  const metrics = metricsPort({ ...awsSettings(), writeLine: (line) => lines.push(line) });
  await metrics.put({ capability: 'backup', name: 'OrphansFound', value: 2, unit: 'Count', dimensions: { Region: 'us-east-1' } });
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    {
      _aws: {
        Timestamp: Date.parse('2026-11-21T07:00:00Z'),
        CloudWatchMetrics: [{ Namespace: 'Codeblue/backup', Dimensions: [['Region']], Metrics: [{ Name: 'OrphansFound', Unit: 'Count' }] }],
      },
      Region: 'us-east-1',
      OrphansFound: 2,
    },
  ]);
});
