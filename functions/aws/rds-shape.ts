import type { DBInstance, ModifyDBInstanceMessage } from '@aws-sdk/client-rds';

export interface ShapeChanges {
  /** What is to be asked for. */
  readonly changes: Omit<ModifyDBInstanceMessage, 'DBInstanceIdentifier'>;
  /** Asked for already, and not so yet. */
  readonly underWay: readonly string[];
}

/** Below it RDS gives gp3 a fixed rate and refuses to be told one ("gp3 storage" in the RDS user guide, for PostgreSQL). */
const ratedGp3GiB = 400;

/**
 * How a restored copy differs from the live instance in everything around its data, as the call that makes it alike.
 *
 * Left alone: the engine's version (that of the chosen moment, until somebody upgrades), Enhanced Monitoring and Performance Insights (they want a role or
 * a key of the deployer's to be passed on), the subnet group within one VPC (RDS does not change it), and what only grows (the allocated storage).
 *
 * @param keepLogDays for how long the new one must be restorable by its log; replicas want 1 at least
 */
export function shapeChanges(live: DBInstance, copy: DBInstance, keepLogDays: number): ShapeChanges {
  const wanted = { ...plain(live), BackupRetentionPeriod: Math.max(live.BackupRetentionPeriod ?? 0, keepLogDays, 1) };
  const has: Readonly<Record<string, unknown>> = plain(copy);
  const asked: Readonly<Record<string, unknown>> = pending(copy);
  const differing = Object.entries(wanted).filter(([name, value]) => value !== undefined && has[name] !== value);
  const underWay = differing.filter(([name, value]) => asked[name] === value).map(([name]) => name);
  const missing = differing.filter(([name]) => !underWay.includes(name));
  // The two must not overlap: one alone could be refused because of what the other still is.
  const windows = missing.some(([name]) => name.endsWith('Window'))
    ? { PreferredBackupWindow: live.PreferredBackupWindow, PreferredMaintenanceWindow: live.PreferredMaintenanceWindow }
    : {};
  const logs = logsToExport(live, copy);
  const groups = groupsToWear(live, copy);
  return {
    changes: {
      ...Object.fromEntries(missing),
      ...windows,
      ...(groups ? { VpcSecurityGroupIds: groups } : {}),
      ...(logs.length > 0 ? { CloudwatchLogsExportConfiguration: { EnableLogTypes: logs } } : {}),
      ...storageToHave(live, copy),
    },
    underWay: [
      ...underWay,
      ...(isChangingGroups(copy) ? ['VpcSecurityGroupIds'] : []),
      ...(isTakingParameters(copy) ? ['parameters'] : []),
    ],
  };
}

/** Ids of the security groups that an instance wears, or is given just now. */
export const groupsOf = ({ VpcSecurityGroups: groups = [] }: DBInstance): string[] =>
  groups.flatMap(({ VpcSecurityGroupId: id, Status: status }) => (id && status !== 'removing' ? id : [])).sort();

/** A parameter group that was changed holds only after the next start. */
export const wantsReboot = ({ DBParameterGroups: groups = [] }: DBInstance): boolean =>
  groups.some(({ ParameterApplyStatus: status }) => status === 'pending-reboot');

const plain = (instance: DBInstance) => ({
  DBInstanceClass: instance.DBInstanceClass,
  DBParameterGroupName: instance.DBParameterGroups?.[0]?.DBParameterGroupName,
  MultiAZ: instance.MultiAZ ?? false,
  BackupRetentionPeriod: instance.BackupRetentionPeriod ?? 0,
  PreferredBackupWindow: instance.PreferredBackupWindow,
  PreferredMaintenanceWindow: instance.PreferredMaintenanceWindow,
  PubliclyAccessible: instance.PubliclyAccessible ?? false,
  AutoMinorVersionUpgrade: instance.AutoMinorVersionUpgrade ?? false,
  CopyTagsToSnapshot: instance.CopyTagsToSnapshot ?? false,
  EnableIAMDatabaseAuthentication: instance.IAMDatabaseAuthenticationEnabled ?? false,
  MaxAllocatedStorage: instance.MaxAllocatedStorage,
  CACertificateIdentifier: instance.CACertificateIdentifier,
});

const pending = ({ PendingModifiedValues: values = {} }: DBInstance) => ({
  DBInstanceClass: values.DBInstanceClass,
  MultiAZ: values.MultiAZ,
  BackupRetentionPeriod: values.BackupRetentionPeriod,
  EnableIAMDatabaseAuthentication: values.IAMDatabaseAuthenticationEnabled,
  CACertificateIdentifier: values.CACertificateIdentifier,
});

function logsToExport(live: DBInstance, copy: DBInstance): string[] {
  const asked = copy.PendingModifiedValues?.PendingCloudwatchLogsExports?.LogTypesToEnable ?? [];
  const has = new Set([...(copy.EnabledCloudwatchLogsExports ?? []), ...asked]);
  return (live.EnabledCloudwatchLogsExports ?? []).filter((name) => !has.has(name));
}

function groupsToWear(live: DBInstance, copy: DBInstance): string[] | undefined {
  const wanted = groupsOf(live);
  return wanted.join() === groupsOf(copy).join() ? undefined : wanted;
}

const isChangingGroups = ({ VpcSecurityGroups: groups = [] }: DBInstance): boolean =>
  groups.some(({ Status: status }) => status !== undefined && status !== 'active');

const isTakingParameters = ({ DBParameterGroups: groups = [] }: DBInstance): boolean =>
  groups.some(({ ParameterApplyStatus: status }) => status === 'applying');

/** A restore makes gp storage of whatever it was. RDS wants type and rates told together. */
function storageToHave(live: DBInstance, copy: DBInstance): Partial<Storage> {
  const wanted: Partial<Storage> =
    live.StorageType === 'gp3' && (copy.AllocatedStorage ?? 0) < ratedGp3GiB ? { StorageType: 'gp3' } : storageOf(live);
  const asked = { ...storageOf(copy), ...storageOf(copy.PendingModifiedValues ?? {}) };
  const isAlike = (['StorageType', 'Iops', 'StorageThroughput'] as const).every(
    (name) => wanted[name] === undefined || wanted[name] === asked[name],
  );
  return isAlike ? {} : wanted;
}

type Storage = Required<Pick<DBInstance, 'StorageType' | 'Iops' | 'StorageThroughput'>>;

const storageOf = ({ StorageType, Iops, StorageThroughput }: Partial<Storage> | DBInstance): Partial<Storage> => ({
  ...(StorageType ? { StorageType } : {}),
  ...(Iops ? { Iops } : {}),
  ...(StorageThroughput ? { StorageThroughput } : {}),
});
