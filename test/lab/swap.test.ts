import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doesNotExpire } from '../../functions/backup/models.ts';
import { systemClock } from '../../functions/common/clock.ts';
import { type PgAddress, pgServer } from '../../functions/common/pg-server.ts';
import { Epoch } from '../../functions/failover/models.ts';
import type { Replicas } from '../../functions/failover/ports.ts';
import { Background } from '../../lab/background.ts';
import { type LabDatabases, labDatabases } from '../../lab/databases.ts';
import { labReplicas } from '../../lab/failover/replicas.ts';
import { damagedServer } from '../../lab/failover/swaps.ts';
import { loadHospital } from '../../lab/hospital/generate.ts';
import { type RunningRegions, startRegions } from '../../lab/start.ts';
import { databaseId, regionNames, removeDir, temporaryDir } from './support/labs.ts';

const { primary, standby } = regionNames;
const snapshotId = 'cb-hms-before';
const expiresAt = new Date(Date.now() + 3_600_000);
let base: string;
let lab: RunningRegions;
let databases: LabDatabases;
let replicas: Replicas;
let epoch = 1;

beforeAll(async () => {
  base = temporaryDir();
  const load = loadHospital(16_000_000);
  const options = { deployment: 'ward', databaseId, regions: regionNames, standbys: ['standby'] as const, seed: 5, load };
  lab = await startRegions({ baseDir: join(base, 'labs'), ...options });
  const background = new Background();
  databases = labDatabases(lab.regions, systemClock, background);
  replicas = labReplicas(lab.regions, systemClock, background);
  await query(live(), 'CREATE TABLE public.mark (n int)');
});
afterAll(async () => {
  await databases?.settled();
  await lab?.stop();
  removeDir(base);
});

const live = (region = primary): PgAddress => lab.regions.address(region, 'admin');
async function query(address: PgAddress, text: string) {
  const session = await pgServer(address).connect('hospital');
  try {
    return await session.query(text);
  } finally {
    await session.close();
  }
}
const marks = async (address: PgAddress) => (await query(address, 'SELECT n FROM mark ORDER BY n')).map(({ n }) => Number(n));

/** A copy that shows the first of two marks. */
async function copyOfTheFirst(restoredId: string) {
  const id = `${snapshotId}-${restoredId}`;
  await query(live(), 'TRUNCATE mark; INSERT INTO mark VALUES (1)');
  await databases.createSnapshot({ region: primary, snapshotId: id, databaseId, kind: 'daily' });
  await databases.settled();
  await query(live(), 'INSERT INTO mark VALUES (2)');
  await databases.restore({ region: primary, snapshotId: id }, { region: primary, restoredId, databaseId, expiresAt });
  await databases.settled();
  return { databaseId, region: primary, restoredId };
}
const addressOf = (restored: { epoch: number }): PgAddress => {
  const port = damagedServer(lab.regions, lab.regions.use(primary), restored.epoch).port();
  return { ...live(), port: port ?? 0 };
};

describe('a restored copy that takes the live name', () => {
  test('stands where the damaged one stood, which runs on under its own address; the standby follows the copy once it is rebuilt', async () => {
    const copy = await copyOfTheFirst('swap');
    epoch++;
    expect(await replicas.prepareSwap(copy)).toMatchObject({ role: 'primary', status: 'available' });
    expect(await replicas.prepareSwap(copy)).toMatchObject({ role: 'primary', status: 'available' });
    expect(await marks(live())).toEqual([1, 2]);
    const listed = (await databases.listRestored(primary)).find(({ restoredId }) => restoredId === copy.restoredId);
    expect(listed).toMatchObject({ expiresAt: doesNotExpire });

    const swap = { ...copy, epoch: Epoch.parse(epoch) };
    expect(await replicas.swapIn(swap)).toMatchObject({ role: 'primary', status: 'available' });
    expect(await replicas.swapIn(swap)).toMatchObject({ role: 'primary', status: 'available' });
    expect(await marks(live())).toEqual([1]);
    expect(await marks(addressOf({ epoch }))).toEqual([1, 2]);
    expect(await databases.listRestored(primary)).toEqual([]);
    await databases.removeRestored(copy);
    expect(await replicas.describe(databaseId, primary)).toMatchObject({ role: 'primary', status: 'available' });

    expect(await marks(live(standby))).toEqual([1, 2]);
    await replicas.rebuild({ databaseId, region: standby, from: primary, epoch: Epoch.parse(epoch) });
    await databases.settled();
    expect(await marks(live(standby))).toEqual([1]);
    // Backups and restores of the new history work as those of the old one did.
    const again = await copyOfTheFirst('after');
    expect(await databases.describeRestored(again)).toMatchObject({ status: 'available' });
    const later = await databases.restoreToTime(new Date(), { ...again, restoredId: 'to-a-time', expiresAt });
    await databases.settled();
    expect(await databases.describeRestored(later)).toMatchObject({ status: 'available' });
  });

  test('is put there by the next call when one died half-way', async () => {
    const copy = await copyOfTheFirst('cut');
    epoch++;
    // The password was changed, and nobody noted it.
    const { port, password } = JSON.parse(
      readFileSync(join(lab.regions.paths(primary).restored, copy.restoredId, 'restored.json'), 'utf8'),
    );
    await query({ ...live(), port, password }, `ALTER ROLE postgres PASSWORD '${lab.regions.state.accounts.admin.password}'`);
    expect(await replicas.prepareSwap(copy)).toMatchObject({ status: 'available' });
    // The live server was stopped and moved, and no more.
    const { server, paths } = lab.regions.use(primary);
    const aside = join(paths.root, `damaged-${epoch}`);
    await server.stop();
    mkdirSync(aside);
    chmodSync(aside, 0o711);
    renameSync(paths.data, join(aside, 'data'));
    expect(existsSync(paths.data)).toBe(false);
    expect(await replicas.swapIn({ ...copy, epoch: Epoch.parse(epoch) })).toMatchObject({ role: 'primary', status: 'available' });
    expect([await marks(live()), await marks(addressOf({ epoch }))]).toEqual([[1], [1, 2]]);
  });

  test('is no copy of somebody else, none that is not there, and none that was not prepared; the live database stays then', async () => {
    const copy = await copyOfTheFirst('refused');
    const swap = { ...copy, epoch: Epoch.parse(epoch + 1) };
    await expect(replicas.swapIn(swap)).rejects.toMatchObject({ name: 'InvalidInput' });
    await expect(replicas.prepareSwap({ ...copy, restoredId: 'none' })).rejects.toMatchObject({ name: 'NotFound' });
    await expect(replicas.swapIn({ ...swap, restoredId: 'none' })).rejects.toMatchObject({ name: 'NotFound' });
    expect(await marks(live())).toEqual([1, 2]);
  });
});
