import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { lockedVaultName, vaultRoleName } from '../../functions/common/names.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/**
 * Copies that nobody can remove before their time (row B8). The lock itself is made only in mode `compliance`: after its
 * grace days neither the account's administrator nor AWS can lift it. In mode `simulate` the vault exists without a lock,
 * and the task `lock-recovery-points` tells what a lock would hold.
 */
export class LockedVault extends Construct {
  constructor(parent: Construct, { operations, region }: RegionScope, keys: RegionalKeys) {
    super(parent, 'LockedVault');
    const { mode, minRetention, maxRetention, graceDays } = operations.vaultLock;
    new backup.BackupVault(this, 'Vault', {
      backupVaultName: lockedVaultName(operations),
      encryptionKey: keys.backup,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(mode === 'compliance'
        ? {
            lockConfiguration: {
              minRetention: Duration.seconds(minRetention),
              maxRetention: Duration.seconds(maxRetention),
              changeableFor: Duration.days(graceDays),
            },
          }
        : {}),
    });
    const role = new iam.Role(this, 'Role', {
      roleName: vaultRoleName(operations, region),
      assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
      description: 'AWS Backup takes locked copies of the live databases',
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSBackupServiceRolePolicyForBackup')],
    });
    keys.backup.grantEncryptDecrypt(role.withoutPolicyUpdates());
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
      reason: 'the calls behind a backup job are AWS Backup’s own and change with it; only AWS Backup can assume the role',
    });
  }
}
