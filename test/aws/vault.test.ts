import {
  BackupClient,
  DescribeBackupVaultCommand,
  ListRecoveryPointsByBackupVaultCommand,
  StartBackupJobCommand,
} from '@aws-sdk/client-backup';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { vaultPort } from '../../functions/aws/vault.ts';
import { InvalidInput } from '../../functions/common/errors.ts';
import { DatabaseId, RecoveryPointId, Region } from '../../functions/common/ids.ts';
import { awsSettings } from '../support/aws-settings.ts';

const backup = mockClient(BackupClient);
const home = Region.parse('us-east-1');
const recoveryPointId = RecoveryPointId.parse('cb-hms-daily-20261121t070000z');
const hms = DatabaseId.parse('hms');
const vault = vaultPort(awsSettings());
const stored = (id: string, status: 'COMPLETED' | 'CREATING' | 'PARTIAL') => ({
  RecoveryPointArn: id,
  CreationDate: new Date('2026-11-20T04:00:00Z'),
  Status: status,
  CalculatedLifecycle: { DeleteAt: new Date('2026-12-20T04:00:00Z') },
});

describe('the vault', () => {
  beforeEach(() => backup.reset());

  it('takes a copy that lives as long as the lock demands, once per recovery point', async () => {
    backup.on(StartBackupJobCommand).resolves({ BackupJobId: 'job-1' });
    expect(await vault.lock({ region: home, databaseId: hms, recoveryPointId })).toBe('job-1');
    expect(backup.commandCalls(StartBackupJobCommand)[0]?.args[0].input).toEqual({
      BackupVaultName: 'hms-codeblue-locked',
      ResourceArn: 'arn:aws:rds:us-east-1:111122223333:db:hms-primary',
      IamRoleArn: 'arn:aws:iam::111122223333:role/hms-codeblue-vault-us-east-1',
      IdempotencyToken: recoveryPointId,
      Lifecycle: { DeleteAfterDays: 30 },
      RecoveryPointTags: { 'codeblue:owner': 'hms', 'codeblue:database': 'hms' },
    });
  });

  it('names an Aurora database by its cluster', async () => {
    backup.on(StartBackupJobCommand).resolves({ BackupJobId: 'job-2' });
    await vault.lock({ region: home, databaseId: DatabaseId.parse('billing'), recoveryPointId });
    const { ResourceArn } = backup.commandCalls(StartBackupJobCommand)[0]?.args[0].input ?? {};
    expect(ResourceArn).toBe('arn:aws:rds:us-east-1:111122223333:cluster:billing-cluster');
  });

  it('is where a Region can lead, and nowhere else', async () => {
    await expect(vault.lock({ region: Region.parse('eu-west-1'), databaseId: hms, recoveryPointId })).rejects.toThrow(InvalidInput);
  });

  it('lists every page', async () => {
    backup.on(DescribeBackupVaultCommand).resolves({ Locked: false });
    backup.on(ListRecoveryPointsByBackupVaultCommand).resolves({ RecoveryPoints: [stored('a', 'COMPLETED')], NextToken: 'more' });
    const second = { RecoveryPoints: [stored('b', 'CREATING'), stored('c', 'PARTIAL')] };
    backup.on(ListRecoveryPointsByBackupVaultCommand, { NextToken: 'more' }).resolves(second);
    const found = (await vault.list(home, hms)).map(({ copyId, status }) => [copyId, status]);
    expect(found).toEqual([
      ['a', 'available'],
      ['b', 'creating'],
      ['c', 'failed'],
    ]);
  });

  it.each([
    ['has no lock', { Locked: false }, undefined],
    ['has a lock that can still be removed', { Locked: true, LockDate: new Date('2026-11-24T00:00:00Z') }, undefined],
    ['has a governance lock, which never becomes final', { Locked: true }, undefined],
    ['is locked for good', { Locked: true, LockDate: new Date('2026-11-01T00:00:00Z') }, new Date('2026-12-20T04:00:00Z')],
  ])('that %s says so of its copies', async (_, lock, lockedUntil) => {
    backup.on(DescribeBackupVaultCommand).resolves(lock);
    backup.on(ListRecoveryPointsByBackupVaultCommand).resolves({ RecoveryPoints: [stored('a', 'COMPLETED')] });
    expect((await vault.list(home, hms))[0]?.lockedUntil).toEqual(lockedUntil);
  });
});
