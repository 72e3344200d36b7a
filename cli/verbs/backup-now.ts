import { audited } from '../../functions/audit/audited.ts';
import { type LiveDatabase, type RecoveryPoint, recoveryPointId } from '../../functions/backup/models.ts';
import { formatSeconds, minutes } from '../../functions/common/duration.ts';
import { InvalidInput, ServiceUnavailable } from '../../functions/common/errors.ts';
import type { RecoveryPointId } from '../../functions/common/ids.ts';
import { databaseOf } from '../../functions/common/operations-lookup.ts';
import { isActive } from '../../functions/failover/lease/active-region.ts';
import type { Report } from '../progress.ts';
import { formatBytes } from '../render/moments.ts';
import type { Session } from '../session.ts';

export const backupNowPorts = ['auditLog', 'coordination', 'databases', 'recoveryPoints', 'taskInvoker'] as const;
type BackupSession = Session<(typeof backupNowPorts)[number]>;

export interface BackupNowPlan {
  readonly databaseId: RecoveryPoint['databaseId'];
  readonly recoveryPointId: RecoveryPointId;
  readonly scheduledAt: string;
  readonly live: Pick<LiveDatabase, 'region' | 'status' | 'sizeBytes' | 'engineVersion'>;
  readonly copyTo: readonly string[];
  readonly keptSeconds: { readonly home: number; readonly copy: number };
}

/** What an emergency backup (row B7) would do. @throws InvalidInput for an unknown database or a Region that takes no backups, NotFound when it is not there */
export async function planBackupNow({ ports, operations, clock, region }: BackupSession, database: string): Promise<BackupNowPlan> {
  const { id, copyTo, retention } = databaseOf(operations, database);
  if (!(await isActive({ operations, region, clock, coordination: ports.coordination }))) {
    throw new InvalidInput(`backups are taken in the Region that leads, and ${region} does not`, {
      hint: 'Leave --region out; who leads: codeblue failover status',
    });
  }
  const { status, sizeBytes, engineVersion } = await ports.databases.describe(id, region);
  // Ids count seconds: two requests of one second are one backup.
  const scheduledAt = new Date(Math.floor(clock.now().getTime() / 1000) * 1000);
  return {
    databaseId: id,
    recoveryPointId: recoveryPointId(id, 'emergency', scheduledAt),
    scheduledAt: scheduledAt.toISOString(),
    live: { region, status, sizeBytes, engineVersion },
    copyTo,
    keptSeconds: retention.emergency,
  };
}

export function renderBackupNowPlan({ databaseId, recoveryPointId: id, live, copyTo, keptSeconds }: BackupNowPlan): string {
  const copies =
    copyTo.length === 0
      ? 'no copy, because the config names no Region'
      : `copied to ${copyTo.join(', ')}, kept there ${formatSeconds(keptSeconds.copy)}`;
  return [
    `Emergency backup of ${databaseId} in ${live.region} (${formatBytes(live.sizeBytes)}, PostgreSQL ${live.engineVersion}, ${live.status})`,
    `  id      ${id}`,
    `  kept    ${formatSeconds(keptSeconds.home)} in ${live.region}; ${copies}`,
    '  effect  the database is read once while it goes on working; nothing is stopped or changed',
  ].join('\n');
}

/** A backup function may run 15 min and is tried again twice. */
const capturedWithin = minutes(50);
const pollMilliseconds = 5_000;

/**
 * Asks for the backup and follows the inventory until its snapshot and manifest are there. Copies and verification follow by
 * themselves.
 *
 * @throws ServiceUnavailable when it is not there in time; whatever invoking the task throws
 */
export async function backupNow(session: BackupSession, plan: BackupNowPlan, operator: string, report: Report): Promise<RecoveryPoint> {
  const { ports, clock, region } = session;
  const { databaseId, recoveryPointId: id, scheduledAt } = plan;
  const act = { actor: `cli/${operator}`, action: 'request-backup', resource: id, details: { databaseId, kind: 'emergency' } };
  report('asking for it');
  await audited({ auditLog: ports.auditLog, clock, region }, act, () =>
    ports.taskInvoker.invoke({
      task: 'backup-database',
      key: `${databaseId}/emergency`,
      input: { databaseId, kind: 'emergency' },
      scheduledAt: new Date(scheduledAt),
    }),
  );
  const deadline = clock.now().getTime() + capturedWithin * 1000;
  for (;;) {
    const point = await ports.recoveryPoints.get(id);
    if (point?.manifestSha256) return point;
    if (clock.now().getTime() > deadline) {
      throw new ServiceUnavailable(`backup ${id} is not there after ${formatSeconds(capturedWithin)}`, {
        hint: `It may still come: codeblue backup list --database ${databaseId} --all. The log group of backup-database says why it did not.`,
      });
    }
    report(stageOf(point));
    await clock.sleep(pollMilliseconds);
  }
}

function stageOf(point: RecoveryPoint | undefined): string {
  const attempt = point?.locations.length ?? 0;
  if (attempt === 0) return 'waiting for the backup to start';
  return `${attempt > 1 ? `attempt ${attempt}: ` : ''}taking the snapshot, reading what is in the database`;
}

export function renderBackupNow(point: RecoveryPoint): string {
  return [
    `Backup taken: ${point.id}`,
    'Copies and verification follow by themselves; see: codeblue backup list',
    `To verify it as soon as it is stored: codeblue verify ${point.id}`,
  ].join('\n');
}
