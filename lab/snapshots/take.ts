import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { BackupKind } from '../../functions/backup/models.ts';
import type { DatabaseId } from '../../functions/common/ids.ts';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import { LabUnavailable } from '../errors.ts';
import { baseBackup } from '../postgres/base-backup.ts';
import { dataFiles } from '../postgres/data-files.ts';
import { walSegments } from '../postgres/lsn.ts';
import type { LabRegion, RegionKey } from '../region.ts';
import { type StoredObject, writeObject } from './object.ts';
import { type BackupContents, CONTENTS_FILE } from './sidecar.ts';

export interface TakeRequest {
  readonly region: LabRegion;
  readonly admin: PgAddress;
  readonly snapshotId: string;
  readonly databaseId: DatabaseId;
  readonly kind: BackupKind;
  readonly engineVersion: string;
  readonly key: RegionKey;
  readonly objectPath: string;
  /** Called when the instant that the backup shows has passed; the log is still being collected then. */
  readonly onCaptured: (endedAt: Date) => void;
}

/** Longest wait for the archive to receive the last segment. */
const ARCHIVE_PATIENCE_MS = 60_000;

/** A base backup of the running primary with all the log it needs, as one encrypted object. */
export async function takeSnapshot(request: TakeRequest): Promise<{ readonly stored: StoredObject; readonly contents: BackupContents }> {
  const { region, admin, snapshotId, databaseId, kind, engineVersion, key, objectPath, onCaptured } = request;
  let contents: BackupContents | undefined;
  const stored = await writeObject(objectPath, key, async (packer) => {
    const end = await baseBackup(admin, snapshotId, async () => {
      for await (const { name, path, kind: type } of dataFiles(region.paths.data)) {
        if (type === 'directory') await packer.directory(name);
        else await packer.file(name, path);
      }
    });
    onCaptured(end.endedAt);
    await packer.bytes('backup_label', Buffer.from(end.label));
    const segments = walSegments(end.timeline, end.startLsn, end.stopLsn);
    await archived(region.paths.archive, segments.at(-1) ?? '');
    for (const name of [...(await historyFiles(region.paths.archive)), ...segments]) {
      const found = await packer.file(`pg_wal/${name}`, join(region.paths.archive, name));
      if (!found) throw new LabUnavailable(`the log segment ${name} is not in the archive of ${region.name}`);
    }
    const { timeline, startLsn, stopLsn, endedAt } = end;
    const facts = { takenAs: snapshotId, databaseId, kind, engineVersion, timeline, startLsn, stopLsn, endedAt: endedAt.toISOString() };
    contents = { format: 'codeblue-lab-backup/1', ...facts, files: [...packer.files] };
    await packer.bytes(CONTENTS_FILE, Buffer.from(JSON.stringify(contents)));
  });
  if (!contents) throw new LabUnavailable(`snapshot ${snapshotId} was not taken`);
  return { stored, contents };
}

/** Waits until the archive has a segment. The backup's end filled it up, so it comes as soon as the archiver gets there. */
export async function archived(archiveDir: string, segment: string): Promise<void> {
  const giveUpAt = performance.now() + ARCHIVE_PATIENCE_MS;
  while (!existsSync(join(archiveDir, segment))) {
    if (performance.now() > giveUpAt)
      throw new LabUnavailable(`the log segment ${segment} was not archived within ${ARCHIVE_PATIENCE_MS / 1000} s`);
    await wait(20);
  }
}

async function historyFiles(archiveDir: string): Promise<readonly string[]> {
  return (await readdir(archiveDir)).filter((name) => name.endsWith('.history')).sort();
}
