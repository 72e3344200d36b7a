import type { DBInstance } from '@aws-sdk/client-rds';
import type { ServiceState } from './replica-kind.ts';

/** Statuses in which an instance serves, by "DB instance status" of the RDS user guide. */
const serving = new Set([
  ...['available', 'backing-up', 'storage-optimization', 'storage-initialization', 'configuring-enhanced-monitoring'],
  ...['configuring-iam-database-auth', 'configuring-log-exports'],
]);
const coming = new Set(['creating', 'renaming', 'restoring', 'starting']);

/** Statuses that nothing but a person ends. */
const ended = new Set([
  ...['failed', 'stopped', 'stopping', 'deleting', 'storage-full', 'incompatible-network', 'incompatible-option-group'],
  ...['incompatible-parameters', 'incompatible-restore', 'inaccessible-encryption-credentials', 'restore-error', 'insufficient-capacity'],
]);

export function stateOf(instance: DBInstance): ServiceState {
  const rdsStatus = instance.DBInstanceStatus ?? 'unknown';
  const replication = (instance.StatusInfos ?? []).find((info) => info.StatusType === 'read replication');
  const says = [rdsStatus, ...(replication ? [`replication ${replication.Status ?? 'unknown'}`] : [])].join(', ');
  return { role: instance.ReadReplicaSourceDBInstanceIdentifier ? 'replica' : 'primary', status: statusOf(rdsStatus), says };
}

function statusOf(rdsStatus: string): ServiceState['status'] {
  if (serving.has(rdsStatus)) return 'available';
  if (coming.has(rdsStatus)) return 'creating';
  return ended.has(rdsStatus) ? 'failed' : 'promoting';
}

/** RDS modifies an instance in these; the second lasts for hours after a restore and hinders nothing but changes of the storage. */
export const isModifiable = ({ DBInstanceStatus: status }: DBInstance): boolean =>
  status === 'available' || status === 'storage-optimization' || status === 'storage-initialization';
