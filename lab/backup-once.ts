import { backupDatabase } from '../functions/backup/backup-database.ts';
import { hospitalPack } from '../functions/verify/hospital-pack.ts';
import { LabClock } from './clock.ts';
import { Lab } from './lab.ts';
import { labOperations } from './operations.ts';
import { attachRegions } from './regions.ts';

/** Takes one six-hourly backup in a process of its own, which the scenario then kills: `node backup-once.ts <lab> <scheduled at>`. */
const [, , dir, scheduledAt] = process.argv;
if (!dir || !scheduledAt) throw new TypeError('usage: backup-once.ts <lab directory> <scheduled at>');
const regions = attachRegions(dir);
const lab = new Lab(regions, labOperations('hms', hospitalPack, regions.state.databaseNames), new LabClock());
const databaseId = regions.state.databaseId;
await lab.run(backupDatabase, { key: `${databaseId}/six-hourly`, scheduledAt, input: { databaseId, kind: 'six-hourly' } });
