import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LabUnavailable, systemCode } from '../errors.ts';

/** A file or directory of a data directory; `name` is its path inside, with forward slashes. */
export interface DataFile {
  readonly name: string;
  readonly path: string;
  readonly kind: 'file' | 'directory';
}

/** Their contents mean nothing in a copy: see "Making a Base Backup Using the Low Level API" in PostgreSQL's manual. */
const emptied = new Set(['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans']);
const omitted =
  /^(postmaster\.(pid|opts)|postgresql\.auto\.conf(\.tmp)?|backup_label(\.old)?|tablespace_map(\.old)?|(recovery|standby)\.signal|current_logfiles)$/;
const omittedAnywhere = /^(pgsql_tmp.*|pg_internal\.init.*)$/;
const controlFile = 'global/pg_control';

/**
 * What a base backup copies, in the order to copy it: directories before their contents, the control file last. Files may
 * vanish, grow and shrink while the caller reads them: recovery mends that.
 *
 * @throws LabUnavailable when data lies in tablespaces outside of the data directory
 */
export async function* dataFiles(dataDir: string): AsyncGenerator<DataFile> {
  yield* below(dataDir, '');
  // It says from where recovery starts in a copy that lost its backup_label: never older than the data.
  yield { name: controlFile, path: join(dataDir, controlFile), kind: 'file' };
}

async function* below(dataDir: string, prefix: string): AsyncGenerator<DataFile> {
  for (const entry of await entriesOf(join(dataDir, prefix))) {
    const name = `${prefix}${entry.name}`;
    const path = join(dataDir, name);
    if (omittedAnywhere.test(entry.name) || (prefix === '' && omitted.test(entry.name)) || name === controlFile) continue;
    if (entry.isSymbolicLink()) {
      throw new LabUnavailable(`the database keeps data outside of its directory (${name})`, {
        hint: 'The lab does not copy tablespaces.',
      });
    }
    if (entry.isDirectory()) {
      yield { name, path, kind: 'directory' };
      if (name === 'pg_wal') yield { name: 'pg_wal/archive_status', path: join(path, 'archive_status'), kind: 'directory' };
      if (prefix !== '' || !emptied.has(name)) yield* below(dataDir, `${name}/`);
    } else if (entry.isFile()) {
      yield { name, path, kind: 'file' };
    }
  }
}

async function entriesOf(dir: string) {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []; // A database dropped while we walk.
    throw error;
  }
}
