import {
  AddTagsToResourceCommand,
  type DBInstance,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  type ModifyDBInstanceMessage,
  type RDSClient,
  RebootDBInstanceCommand,
  RemoveTagsFromResourceCommand,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-rds';
import type { AwsStub } from 'aws-sdk-client-mock';

type Instance = DBInstance & { readonly DbiResourceId: string };

const fault = (name: string, message = name) => Object.assign(new Error(message), { name });

/** VPCs by subnet group. */
const vpcs: Readonly<Record<string, string>> = { production: 'vpc-0live', isolated: 'vpc-0isolated' };

/**
 * Instances of one Region as RDS changes them: only while they are available, after a while, and by its rules (see functions/aws/rds-swap.ts). Time passes by
 * `tick`: what was asked for is pending before the first, under way before the second, and done after it.
 */
export function modelledRds(rds: AwsStub<ServiceInputTypes, ServiceOutputTypes, RDSClient['config']>, given: readonly Instance[]) {
  let instances = [...given];
  const coming = new Map<string, () => void>();
  const refused: string[] = [];
  /** Names of mutating calls in the order in which they were made. */
  const calls: string[] = [];
  /** Which of them from now on gets no answer, counted from 1: it dies before it is done, or after. */
  let cut: { readonly call: number; readonly done: boolean } | undefined;

  const find = (id: string | undefined): Instance => {
    const found = instances.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === id);
    if (!found) throw fault('DBInstanceNotFound');
    return found;
  };
  const byArn = (arn: string | undefined) => find(arn?.split(':').at(-1));
  const change = ({ DbiResourceId: id }: Instance, facts: Partial<DBInstance>) => {
    instances = instances.map((each) => (each.DbiResourceId === id ? { ...each, ...facts } : each));
  };

  /** At first it is `available` still and tells what is pending, then it shows that it changes, then it is done. */
  function later(
    instance: Instance,
    status: string,
    facts: Partial<DBInstance>,
    PendingModifiedValues: DBInstance['PendingModifiedValues'] = {},
  ): void {
    change(instance, { PendingModifiedValues });
    coming.set(instance.DbiResourceId, () => {
      change(instance, { DBInstanceStatus: status });
      coming.set(instance.DbiResourceId, () => change(instance, { DBInstanceStatus: 'available', PendingModifiedValues: {}, ...facts }));
    });
  }

  function rename(instance: Instance, id: string): void {
    if (instances.some(({ DBInstanceIdentifier }) => DBInstanceIdentifier === id)) throw fault('DBInstanceAlreadyExists');
    const renamed = { DBInstanceIdentifier: id, DBInstanceArn: instance.DBInstanceArn?.replace(/[^:]+$/, id) ?? '' };
    later(instance, 'renaming', renamed, { DBInstanceIdentifier: id });
  }

  function modify({
    DBInstanceIdentifier: id,
    NewDBInstanceIdentifier,
    DBSubnetGroupName,
    DeletionProtection,
    ...rest
  }: ModifyDBInstanceMessage) {
    const instance = find(id);
    if (!['available', 'storage-optimization'].includes(instance.DBInstanceStatus ?? '')) throw fault('InvalidDBInstanceState');
    if (DBSubnetGroupName && vpcs[DBSubnetGroupName] === instance.DBSubnetGroup?.VpcId)
      throw fault('InvalidVPCNetworkStateFault', 'it is in that VPC');
    if (DBSubnetGroupName && instance.MultiAZ) throw fault('InvalidVPCNetworkStateFault', 'a Multi-AZ instance cannot move');
    if (DeletionProtection !== undefined) change(instance, { DeletionProtection });
    if (NewDBInstanceIdentifier) return rename(find(id), NewDBInstanceIdentifier);
    const { EnableIAMDatabaseAuthentication, CloudwatchLogsExportConfiguration, ManageMasterUserPassword, MasterUserPassword } = rest;
    const { DBInstanceClass, MultiAZ, BackupRetentionPeriod, PreferredBackupWindow, PreferredMaintenanceWindow, StorageType, Iops } = rest;
    const { DBParameterGroupName, VpcSecurityGroupIds } = rest;
    const groups = (VpcSecurityGroupIds ?? []).map((group) => ({ VpcSecurityGroupId: group, Status: 'active' }));
    const pending = {
      ...(DBInstanceClass ? { DBInstanceClass } : {}),
      ...(MultiAZ === undefined ? {} : { MultiAZ }),
      ...(BackupRetentionPeriod ? { BackupRetentionPeriod } : {}),
      ...(StorageType ? { StorageType } : {}),
      ...(Iops ? { Iops } : {}),
      ...(EnableIAMDatabaseAuthentication === undefined ? {} : { IAMDatabaseAuthenticationEnabled: EnableIAMDatabaseAuthentication }),
    };
    const logs = CloudwatchLogsExportConfiguration?.EnableLogTypes;
    // Not pending: RDS shows these as they are asked for.
    change(find(id), {
      ...(PreferredBackupWindow ? { PreferredBackupWindow } : {}),
      ...(PreferredMaintenanceWindow ? { PreferredMaintenanceWindow } : {}),
      ...(DBParameterGroupName ? { DBParameterGroups: [{ DBParameterGroupName, ParameterApplyStatus: 'applying' }] } : {}),
    });
    const changed: Partial<DBInstance> = {
      ...pending,
      ...(logs ? { EnabledCloudwatchLogsExports: logs } : {}),
      ...(DBSubnetGroupName ? { DBSubnetGroup: { DBSubnetGroupName, VpcId: vpcs[DBSubnetGroupName] } } : {}),
      ...(VpcSecurityGroupIds ? { VpcSecurityGroups: groups } : {}),
      ...(DBParameterGroupName ? { DBParameterGroups: [{ DBParameterGroupName, ParameterApplyStatus: 'pending-reboot' }] } : {}),
      ...(ManageMasterUserPassword === false ? { MasterUserSecret: {} } : {}),
    };
    if (Object.keys(changed).length === 0) return;
    later(find(id), DBSubnetGroupName ? 'moving-to-vpc' : 'modifying', changed, {
      ...pending,
      ...(DBSubnetGroupName ? { DBSubnetGroupName } : {}),
      ...(logs ? { PendingCloudwatchLogsExports: { LogTypesToEnable: logs } } : {}),
      ...(MasterUserPassword ? { MasterUserPassword: '****' } : {}),
    });
  }

  function mutating<I>(name: string, act: (input: I) => void) {
    return (input: I) => {
      calls.push(name);
      const dies = cut?.call === calls.length ? cut : undefined;
      if (dies && !dies.done) throw fault('TimeoutError', 'cut off before');
      try {
        act(input);
      } catch (error) {
        refused.push(`${name}: ${error instanceof Error ? error.name : ''}`);
        throw error;
      }
      if (dies) throw fault('TimeoutError', 'cut off after');
      return {};
    };
  }

  const named = (input: ModifyDBInstanceMessage) =>
    Object.keys(input)
      .filter((key) => !/^(DBInstanceIdentifier|ApplyImmediately)$/.test(key))
      .sort();
  rds.on(DescribeDBInstancesCommand).callsFake(({ DBInstanceIdentifier: id }) => ({ DBInstances: id ? [find(id)] : instances }));
  rds.on(DescribeDBClustersCommand).resolves({ DBClusters: [] });
  rds.on(ModifyDBInstanceCommand).callsFake((input) => mutating(`modify ${input.DBInstanceIdentifier} ${named(input)}`, modify)(input));
  rds.on(RebootDBInstanceCommand).callsFake((input) =>
    mutating(`reboot ${input.DBInstanceIdentifier}`, ({ DBInstanceIdentifier: id }: { DBInstanceIdentifier?: string }) => {
      const { DBParameterGroups: groups = [] } = find(id);
      change(find(id), { DBInstanceStatus: 'rebooting' });
      later(find(id), 'rebooting', { DBParameterGroups: groups.map((group) => ({ ...group, ParameterApplyStatus: 'in-sync' })) });
    })(input),
  );
  rds.on(AddTagsToResourceCommand).callsFake((input) =>
    mutating(`tag ${input.ResourceName?.split(':').at(-1)} ${(input.Tags ?? []).map(({ Key }: { Key?: string }) => Key)}`, () => {
      const { TagList = [] } = byArn(input.ResourceName);
      const keys = new Set((input.Tags ?? []).map(({ Key }: { Key?: string }) => Key));
      change(byArn(input.ResourceName), { TagList: [...TagList.filter(({ Key }) => !keys.has(Key)), ...(input.Tags ?? [])] });
    })(input),
  );
  rds.on(RemoveTagsFromResourceCommand).callsFake((input) =>
    mutating(`untag ${input.ResourceName?.split(':').at(-1)} ${input.TagKeys}`, () => {
      const { TagList = [] } = byArn(input.ResourceName);
      change(byArn(input.ResourceName), { TagList: TagList.filter(({ Key }) => !input.TagKeys?.includes(Key ?? '')) });
    })(input),
  );

  return {
    calls,
    refused,
    names: () => instances.map(({ DBInstanceIdentifier, DbiResourceId }) => `${DBInstanceIdentifier}=${DbiResourceId}`).sort(),
    instance: (id: string): DBInstance => find(id),
    change: (id: string, facts: Partial<DBInstance>) => change(find(id), facts),
    /** What was asked for becomes so. */
    tick() {
      const done = [...coming.values()];
      coming.clear();
      for (const each of done) each();
    },
    cutOff(call: number, done: boolean) {
      cut = { call, done };
    },
  };
}
