import { existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RestoredRef } from '../../functions/backup/ports.ts';
import { systemClock } from '../../functions/common/clock.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import { hospitalPack } from '../../functions/verify/hospital-pack.ts';
import type { SqlServer } from '../../functions/verify/ports.ts';
import { rebuild } from '../../lab/damage.ts';
import { type LabDatabases, labDatabases } from '../../lab/databases.ts';
import { loadHospital } from '../../lab/hospital/generate.ts';
import { startWriter } from '../../lab/hospital/writer.ts';
import { PostgresServer } from '../../lab/postgres/server.ts';
import { regionKey } from '../../lab/region.ts';
import { labSnapshotIntegrity } from '../../lab/snapshots/integrity.ts';
import { readObject, writeObject } from '../../lab/snapshots/object.ts';
import { SnapshotStore } from '../../lab/snapshots/store.ts';
import { labSqlServers } from '../../lab/sql-servers.ts';
import { type RunningRegions, startRegions } from '../../lab/start.ts';
import { databaseId, regionNames, removeDir, temporaryDir } from './support/labs.ts';

const { primary, standby, tertiary } = regionNames;
const expiresAt = new Date(Date.now() + 3_600_000);
/** Taken first; tests that only read a snapshot share it. */
const shared = 'cb-hms-shared';
let base: string;
let lab: RunningRegions;
let databases: LabDatabases;

beforeAll(async () => {
  base = temporaryDir();
  const load = loadHospital(20_000_000);
  lab = await startRegions({ baseDir: join(base, 'labs'), deployment: 'ward', databaseId, regions: regionNames, seed: 5, load });
  databases = labDatabases(lab.regions, systemClock);
  await onPrimary('CREATE TABLE public.mark (n int)');
  await snapshot(shared);
});
afterAll(async () => {
  await databases?.settled();
  await lab?.stop();
  removeDir(base);
});

async function rows(server: SqlServer, text: string) {
  const session = await server.connect('hospital');
  try {
    return await session.query(text);
  } finally {
    await session.close();
  }
}
const onPrimary = (text: string) => rows(pgServer(lab.regions.address(primary, 'admin')), text);
const broken = async (server: SqlServer): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const { name, sql } of hospitalPack) if ((await rows(server, sql)).length > 0) found.push(name);
  return found;
};

async function snapshot(snapshotId: string) {
  await databases.createSnapshot({ region: primary, snapshotId, databaseId, kind: 'daily' });
  await databases.settled();
  expect(databases.snapshotFailure(primary, snapshotId)).toBeUndefined();
  return databases.describeSnapshot({ region: primary, snapshotId });
}

async function restored(snapshotRegion: typeof primary, snapshotId: string, restoredId: string) {
  const ref = { region: snapshotRegion, restoredId, databaseId };
  await databases.restore({ region: snapshotRegion, snapshotId }, { ...ref, expiresAt });
  await databases.settled();
  return { ref, now: await databases.describeRestored(ref) };
}
const serverOf = (ref: RestoredRef) => labSqlServers(lab.regions).restored({ ...ref, databaseId });
const findings = (snapshotId: string, region = primary) => labSnapshotIntegrity(lab.regions).check({ region, snapshotId });

describe('a snapshot taken while the hospital writes', () => {
  test('holds what was acknowledged before it began, breaks no rule, and is sound', async () => {
    const writer = startWriter({ address: () => lab.regions.address(primary, 'application'), connections: 3, seed: 1 });
    await onPrimary('INSERT INTO mark VALUES (1)');
    const begun = await databases.createSnapshot({ region: primary, snapshotId: 'cb-hms-load', databaseId, kind: 'daily' });
    expect(begun).toMatchObject({ status: 'creating', captured: false });
    await databases.settled();
    await onPrimary('INSERT INTO mark VALUES (2)');
    const written = await writer.stop();
    expect(written).toMatchObject({ failed: 0, errors: new Map() });
    expect(written.acknowledged).toBeGreaterThan(0);

    expect(await databases.describeSnapshot({ region: primary, snapshotId: 'cb-hms-load' })).toMatchObject({
      status: 'available',
      captured: true,
      encrypted: true,
    });
    expect(await findings('cb-hms-load')).toEqual([]);
    const { ref, now } = await restored(primary, 'cb-hms-load', 'under-load');
    expect(now).toMatchObject({ status: 'available', databaseId });
    const server = await serverOf(ref);
    expect(await rows(server, 'SELECT n FROM mark')).toEqual([{ n: '1' }]);
    expect(await broken(server)).toEqual([]);
    expect(await broken(pgServer(lab.regions.address(primary, 'admin')))).toEqual([]);
    await databases.removeRestored(ref);
  });

  test('asked for twice is one snapshot', async () => {
    const first = await snapshot('cb-hms-twice');
    expect(await snapshot('cb-hms-twice')).toEqual(first);
    expect(await databases.listSnapshots(primary)).toContainEqual(first);
  });

  test('interrupted leaves nothing that counts, and the next run replaces it', async () => {
    const store = new SnapshotStore(lab.regions.use(primary));
    const job = { createdAt: new Date().toISOString(), databaseId, engineVersion: '18', keyId: 'k', tags: { owner: 'ward' } };
    expect(store.begin('cb-hms-cut', job)).toBe(true);
    expect(await databases.describeSnapshot({ region: primary, snapshotId: 'cb-hms-cut' })).toMatchObject({ status: 'creating' });
    // A process that ended: process ids do not go that high.
    store.update('cb-hms-cut', { pid: 2 ** 30 });
    expect(await databases.describeSnapshot({ region: primary, snapshotId: 'cb-hms-cut' })).toBeUndefined();
    expect(await snapshot('cb-hms-cut')).toMatchObject({ status: 'available' });
  });

  test('is not taken of a standby, nor of another database', async () => {
    await expect(databases.createSnapshot({ region: standby, snapshotId: 'cb-x', databaseId, kind: 'daily' })).rejects.toMatchObject({
      name: 'NotFound',
    });
    await expect(databases.describe(databaseId, standby)).resolves.toMatchObject({ replicaOf: primary });
  });
});

describe('a copy', () => {
  test('is encrypted under a key of its region, and restores there with the first region denied', async () => {
    const source = await databases.describeSnapshot({ region: primary, snapshotId: shared });
    const started = await databases.copySnapshot({ region: primary, snapshotId: shared }, { region: standby, snapshotId: shared });
    expect(started).toMatchObject({ captured: true, region: standby });
    await databases.settled();
    const bytes = (region: typeof primary) => readFileSync(new SnapshotStore(lab.regions.use(region)).objectPath(shared));
    expect(bytes(standby).equals(bytes(primary))).toBe(false);
    const copy = await databases.describeSnapshot({ region: standby, snapshotId: shared });
    expect(copy?.keyId).not.toBe(source?.keyId);

    lab.regions.deny(primary);
    try {
      await expect(databases.describeSnapshot({ region: primary, snapshotId: shared })).rejects.toMatchObject({
        name: 'ServiceUnavailable',
      });
      expect(await findings(shared, standby)).toEqual([]);
      const { ref, now } = await restored(standby, shared, 'elsewhere');
      expect(now).toMatchObject({ status: 'available', region: standby });
      expect(await broken(await serverOf(ref))).toEqual([]);
      await databases.removeRestored(ref);
    } finally {
      lab.regions.allow(primary);
    }
  });

  test('of what is not there is refused', async () => {
    await expect(
      databases.copySnapshot({ region: primary, snapshotId: 'absent' }, { region: tertiary, snapshotId: 'absent' }),
    ).rejects.toMatchObject({
      name: 'NotFound',
    });
  });
});

describe('a restored copy', () => {
  test('has credentials of its own, archives nothing and follows nobody', async () => {
    const { ref } = await restored(primary, shared, 'alone');
    const server = await serverOf(ref);
    const settings = `SELECT name, setting FROM pg_settings WHERE name IN ('archive_mode', 'listen_addresses', 'primary_conninfo', 'max_wal_senders') ORDER BY name`;
    expect((await rows(server, settings)).map(({ setting }) => setting)).toEqual(['off', '127.0.0.1', '0', '']);
    const [{ port } = { port: '' }] = await rows(server, `SELECT setting AS port FROM pg_settings WHERE name = 'port'`);
    for (const account of ['admin', 'codeblue', 'application', 'replication'] as const) {
      const { user, password } = lab.regions.state.accounts[account];
      await expect(
        pgServer({ host: '127.0.0.1', port: Number(port), user, password: password ?? '' }).connect('hospital'),
      ).rejects.toMatchObject({ sqlState: expect.stringMatching(/^28/) });
    }
    await databases.removeRestored(ref);
    expect(await databases.describeRestored(ref)).toBeUndefined();
    await expect(
      pgServer({ host: '127.0.0.1', port: Number(port), user: 'postgres', password: 'x' }).connect('hospital'),
    ).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    await databases.removeRestored(ref);
  });

  test('of another deployment is neither listed nor removed', async () => {
    const { ref } = await restored(primary, shared, 'theirs');
    const file = join(lab.regions.use(primary).paths.restored, 'theirs', 'restored.json');
    const ours = readFileSync(file, 'utf8');
    writeFileSync(file, ours.replace('"owner":"ward"', '"owner":"somebody"'));
    expect(await databases.listRestored(primary)).toEqual([]);
    await expect(databases.removeRestored(ref)).rejects.toMatchObject({ name: 'NotOwned' });
    writeFileSync(file, ours);
    expect(await databases.listRestored(primary)).toHaveLength(1);
    await databases.removeRestored(ref);
    expect(existsSync(file)).toBe(false);
  });

  test('whose server was killed is reported as failed', async () => {
    const { ref } = await restored(primary, shared, 'killed');
    new PostgresServer(lab.regions.runtime, join(lab.regions.use(primary).paths.restored, 'killed', 'data'), '').kill();
    expect(await databases.describeRestored(ref)).toMatchObject({ status: 'failed', reason: 'its server ended' });
    await databases.removeRestored(ref);
  });
});

describe('a restore to a time', () => {
  test('shows what was committed by then and nothing later', async () => {
    await onPrimary('DELETE FROM mark; INSERT INTO mark SELECT generate_series(1, 11)');
    const [{ at } = { at: '' }] = await onPrimary(
      `SELECT to_char((clock_timestamp() + interval '1 ms') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at`,
    );
    await onPrimary(`SELECT pg_sleep_until('${at}'::timestamptz + interval '1 ms')`);
    await onPrimary('INSERT INTO mark VALUES (12)');
    const ref = { region: primary, restoredId: 'second', databaseId };
    await databases.restoreToTime(new Date(at ?? ''), { ...ref, expiresAt });
    await databases.settled();
    expect(await databases.describeRestored(ref)).toMatchObject({ status: 'available' });
    expect(await rows(await serverOf(ref), 'SELECT max(n) AS newest, count(*) AS count FROM mark')).toEqual([
      { newest: '11', count: '11' },
    ]);
    await databases.removeRestored(ref);
  });

  test('that has not come fails, with the reason', async () => {
    const ref = { region: primary, restoredId: 'future', databaseId };
    await databases.restoreToTime(new Date(Date.now() + 3_600_000), { ...ref, expiresAt });
    await databases.settled();
    expect(await databases.describeRestored(ref)).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/recovery ended before configured recovery target/),
    });
    await databases.removeRestored(ref);
  });

  test('before the oldest snapshot is refused', async () => {
    const ref = { region: primary, restoredId: 'past', databaseId };
    await expect(databases.restoreToTime(new Date('2020-01-01'), { ...ref, expiresAt })).rejects.toMatchObject({ name: 'NotFound' });
    expect(readdirSync(lab.regions.use(primary).paths.restored)).toEqual([]);
  });
});

describe('every damage to stored bytes is found', () => {
  const store = () => new SnapshotStore(lab.regions.use(primary));
  const sidecarPath = (id: string) => join(store().objectPath(id), '..', 'sidecar.json');
  let original: { readonly object: Buffer; readonly sidecar: Buffer };

  beforeAll(() => {
    original = { object: readFileSync(store().objectPath(shared)), sidecar: readFileSync(sidecarPath(shared)) };
  });
  beforeEach(() => {
    writeFileSync(store().objectPath(shared), original.object);
    writeFileSync(sidecarPath(shared), original.sidecar);
  });

  test('a flipped bit, anywhere', async () => {
    const path = store().objectPath(shared);
    const { object } = original;
    for (const at of [3, 40, Math.floor(object.length / 2), object.length - 1]) {
      const damaged = Buffer.from(object);
      damaged.writeUInt8((damaged.at(at) ?? 0) ^ 0x10, at);
      writeFileSync(path, damaged);
      const found = await findings(shared);
      expect(found[0]).toMatch(/SHA-256 of the stored object differs/);
      expect(found.length).toBeGreaterThan(1);
    }
    // The last one, in the authentication tag, is still there: a restore must not come up.
    const { ref, now } = await restored(primary, shared, 'bit');
    expect(now).toMatchObject({ status: 'failed', reason: expect.stringMatching(/authentication tag/) });
    await databases.removeRestored(ref);
  });

  test('a truncated object', async () => {
    const path = store().objectPath(shared);
    truncateSync(path, 100_000);
    expect(await findings(shared)).toEqual([
      expect.stringMatching(/has 100000 bytes, \d+ were written/),
      expect.stringMatching(/authentication tag|does not unpack/),
    ]);
    truncateSync(path, 5);
    expect(await findings(shared)).toContain('the object is not a whole stored object');
  });

  test('a missing segment of the log, even when the list of files was made to match', async () => {
    const segment = store()
      .sidecar(shared)
      ?.contents.files.find(({ name }) => name.startsWith('pg_wal/0'))?.name;
    await rebuild(lab.regions, { region: primary, snapshotId: shared }, (name, bytes) => (name === segment ? undefined : bytes));
    expect(await findings(shared)).toEqual([expect.stringMatching(/^the log segment [0-9A-F]{24} is missing/)]);
    const { ref, now } = await restored(primary, shared, 'log');
    expect(now?.status).toBe('failed');
    await databases.removeRestored(ref);
  });

  test('a file that is missing or changed, properly encrypted', async () => {
    const path = store().objectPath(shared);
    const key = regionKey(lab.regions.use(primary));
    await writeObject(`${path}.new`, key, async (packer) => {
      await readObject(path, key, async ({ name, isDirectory, bytes }) => {
        if (isDirectory || name === 'PG_VERSION') return;
        const chunks: Uint8Array[] = [];
        for await (const chunk of bytes()) chunks.push(chunk);
        const whole = Buffer.concat(chunks);
        await packer.bytes(name, name === 'global/pg_filenode.map' ? Buffer.alloc(whole.length) : whole);
      });
    });
    renameSync(`${path}.new`, path);
    expect(await findings(shared)).toEqual(
      expect.arrayContaining(['PG_VERSION is missing', 'the contents of global/pg_filenode.map differ from what was backed up']),
    );
  });

  test('an older backup under a newer name', async () => {
    await snapshot('cb-hms-old');
    await snapshot('cb-hms-new');
    writeFileSync(store().objectPath('cb-hms-new'), readFileSync(store().objectPath('cb-hms-old')));
    writeFileSync(sidecarPath('cb-hms-new'), readFileSync(sidecarPath('cb-hms-old')));
    expect(await findings('cb-hms-new')).toEqual(['the snapshot describes itself as cb-hms-old']);
    writeFileSync(sidecarPath('cb-hms-new'), readFileSync(sidecarPath('cb-hms-old'), 'utf8').replaceAll('cb-hms-old', 'cb-hms-new'));
    expect(await findings('cb-hms-new')).toEqual([
      'the description of the snapshot is not that of the object: it belongs to another backup',
    ]);
  });

  test('a description or an object that is gone', async () => {
    const sidecar = readFileSync(sidecarPath(shared));
    writeFileSync(sidecarPath(shared), '{');
    expect(await findings(shared)).toEqual(['the description of the snapshot is missing or cannot be read']);
    writeFileSync(sidecarPath(shared), sidecar);
    await databases.removeSnapshot({ region: primary, snapshotId: shared });
    await databases.removeSnapshot({ region: primary, snapshotId: shared });
    expect(await findings(shared)).toEqual(['there is no such snapshot']);
  });
});
