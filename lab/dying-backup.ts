import { backupDatabase } from '../functions/backup/backup-database.ts';
import type { Databases } from '../functions/backup/ports.ts';
import { runTask } from '../functions/handlers/run-operation.ts';
import { LabClock } from './clock.ts';
import { Lab } from './lab.ts';
import { loadOperations } from './operations.ts';
import { attachRegions } from './regions.ts';

/**
 * Begins a six-hourly backup in a process of its own and dies without a word while the snapshot is being written:
 * `node dying-backup.ts <lab directory> <scheduled at>`. Part of the lab's faults.
 */
const [, , dir, scheduledAt] = process.argv;
if (!dir || !scheduledAt) throw new TypeError('usage: dying-backup.ts <lab directory> <scheduled at>');
const regions = attachRegions(dir);
const lab = new Lab(regions, loadOperations(regions.dir), new LabClock());
const host = lab.host();
const { databaseId } = regions.state;
const dying: Databases = {
  ...lab.databases,
  async createSnapshot(request) {
    await lab.databases.createSnapshot(request);
    process.kill(process.pid, 'SIGKILL');
    throw new TypeError('unreachable');
  },
};
const event = { key: `${databaseId}/six-hourly`, scheduledAt, input: { databaseId, kind: 'six-hourly' } };
await runTask(backupDatabase, event, { ...host, ports: { ...host.ports, databases: dying } }, new Date(Date.now() + 60_000));
