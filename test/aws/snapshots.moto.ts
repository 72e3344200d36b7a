import { CreateKeyCommand, UpdateAliasCommand } from '@aws-sdk/client-kms';
import { CreateDBSnapshotCommand } from '@aws-sdk/client-rds';
import { beforeEach, describe, expect, it } from 'vitest';
import { databasesPort } from '../../functions/aws/databases.ts';
import { kmsIn } from '../../functions/aws/kms.ts';
import { ownTags, rdsIn } from '../../functions/aws/rds-model.ts';
import { snapshotIntegrityPort } from '../../functions/aws/snapshot-integrity.ts';
import type { Databases, SnapshotIntegrity } from '../../functions/backup/ports.ts';
import { DatabaseId } from '../../functions/common/ids.ts';
import { backupKeyAlias } from '../../functions/common/names.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { createIsolatedNetwork, createKeys, createLiveDatabases, motoOperations, motoSettings, resetMoto } from '../support/moto.ts';

const databaseId = DatabaseId.parse('hms');
const { primary: home, standby: away } = motoOperations.regions;
const snapshotId = 'cb-hms-daily-20261121t070000z';
const hms = motoOperations.databases[0];

/** The deployment whose config names `storageKeyArn` for `hms`. */
const settingsWith = (storageKeyArn: string | undefined) => {
  const settings = motoSettings(manualClock('2026-11-21T07:00:00Z'));
  const site = hms?.sites[home];
  if (!hms || !site) throw new Error('the test deployment has no hms');
  const [, ...others] = motoOperations.databases;
  const changed = { ...hms, sites: { ...hms.sites, [home]: { ...site, storageKeyArn } } };
  return { ...settings, operations: { ...motoOperations, databases: [changed, ...others] } };
};

describe('snapshots on moto', () => {
  let databases: Databases;
  let integrity: SnapshotIntegrity;
  beforeEach(async () => {
    await resetMoto();
    await Promise.all([createIsolatedNetwork(), createKeys(), createLiveDatabases()]);
    databases = databasesPort(settingsWith(undefined));
    await databases.createSnapshot({ region: home, snapshotId, databaseId, kind: 'daily' });
    const taken = await databases.describeSnapshot({ region: home, snapshotId });
    integrity = snapshotIntegrityPort(settingsWith(taken?.keyId));
  });

  it('a sound snapshot and its sound copy have no findings', async () => {
    await databases.copySnapshot({ region: home, snapshotId }, { region: away, snapshotId });
    expect(await integrity.check({ region: home, snapshotId })).toEqual([]);
    expect(await integrity.check({ region: away, snapshotId })).toEqual([]);
  });

  it('a snapshot under another key than the config names is found', async () => {
    const expected = 'arn:aws:kms:us-east-1:123456789012:key/00000000-aaaa-4bbb-8ccc-000000000000';
    const [finding = ''] = await snapshotIntegrityPort(settingsWith(expected)).check({ region: home, snapshotId });
    expect(finding).toContain(`not under ${expected}`);
  });

  it('a copy under another key than the backup key of its Region is found', async () => {
    await databases.copySnapshot({ region: home, snapshotId }, { region: away, snapshotId });
    const { KeyMetadata } = await kmsIn(away).send(new CreateKeyCommand({}));
    const AliasName = backupKeyAlias(motoOperations);
    await kmsIn(away).send(new UpdateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }));
    const [finding = ''] = await integrity.check({ region: away, snapshotId });
    expect(finding).toContain(`not under ${KeyMetadata?.Arn}`);
  });

  it('a snapshot of somebody else and one that is not there are found', async () => {
    const foreign = { DBSnapshotIdentifier: 'cb-foreign', DBInstanceIdentifier: hms?.sites[home]?.identifier };
    await rdsIn(home).send(new CreateDBSnapshotCommand({ ...foreign, Tags: ownTags('somebody-else', databaseId) }));
    expect(await integrity.check({ region: home, snapshotId: 'cb-foreign' })).toHaveLength(1);
    expect(await integrity.check({ region: home, snapshotId: 'cb-never' })).toEqual([`there is no snapshot cb-never in ${home}`]);
  });

  it('a list of more than one page is complete', async () => {
    // RDS gives at most 100 a page.
    const more = Array.from({ length: 104 }, (_, index) => `${snapshotId}-${index + 2}`);
    for (const id of more) await databases.createSnapshot({ region: home, snapshotId: id, databaseId, kind: 'daily' });
    const listed = await databases.listSnapshots(home);
    expect(new Set(listed.map((snapshot) => snapshot.snapshotId))).toEqual(new Set([snapshotId, ...more]));
  });
});
