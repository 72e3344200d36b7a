import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../functions/common/clock.ts';
import { DatabaseId, RecoveryPointId } from '../../functions/common/ids.ts';
import { contentRoot } from '../../functions/verify/content-root.ts';
import { unpackFlux } from '../../functions/verify/flux.ts';
import { inspectRestored } from '../../functions/verify/inspect-restored.ts';
import { judge } from '../../functions/verify/judge.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../../functions/verify/manifest.ts';
import { type OpenManifest, openManifest } from '../../functions/verify/open-manifest.ts';
import { type Load, loadSchema, startLoad } from '../support/load.ts';
import { copyPhysically, serve, startPostgres, type TestPostgres } from '../support/postgres.ts';

let live: TestPostgres;
let load: Load;

beforeAll(async () => {
  live = await startPostgres();
  await live.sql('postgres', 'create database app');
  await live.sql('app', loadSchema);
  load = startLoad(live.server, 'app', 5, 7);
}, 60_000);

afterAll(async () => {
  await load?.stop();
  await live?.stop();
});

const within = () => new Date(Date.now() + 60_000);

const open = (): Promise<OpenManifest> =>
  openManifest(live.server, {
    databaseId: DatabaseId.parse('hms'),
    recoveryPointId: RecoveryPointId.parse('cb-hms-load'),
    databaseNames: ['app'],
    deadline: within(),
    clock: systemClock,
  });

async function verify(directory: string, manifest: Manifest) {
  const copy = await serve(directory);
  try {
    const request = { manifest, invariants: [], deadline: within(), clock: systemClock };
    const inspection = await inspectRestored(copy.server, request);
    const checks = judge(inspection, manifest, { target: { kind: 'recovery-point' } });
    return { failed: checks.filter((check) => check.result === 'failed'), roots: [contentRoot(inspection)], inspection };
  } finally {
    await copy.stop();
  }
}

/** `npm test` takes a few; `CODEBLUE_HEALTHY_COPIES=50` takes the number that the promise is about. */
const copies = Number(process.env.CODEBLUE_HEALTHY_COPIES ?? 3);

test(`${copies} copies taken under full write load verify clean`, { timeout: 60_000 + copies * 20_000 }, async () => {
  let inFlux = 0;
  for (let round = 0; round < copies; round++) {
    // One transaction that began before the manifest ends at a different moment each time: before, during or after the copy.
    const straddling = await live.server.connect('app');
    await straddling.query('begin');
    await straddling.query(`update patient set name = name || '!' where id between $1 and $2`, [
      2900 + (round % 20) * 5,
      2904 + (round % 20) * 5,
    ]);
    const opened = await open();
    if (round % 3 === 0) await straddling.query('commit');
    const directory = await copyPhysically(live);
    if (round % 3 === 1) await straddling.query('commit');
    const manifest = decodeManifest(encodeManifest(await opened.complete()));
    if (round % 3 === 2) await straddling.query('rollback');
    await straddling.close();
    const { failed } = await verify(directory, manifest);
    expect(failed, `round ${round}`).toEqual([]);
    inFlux += manifest.databases
      .flatMap((database) => database.tables.map((table) => unpackFlux(table.flux).length))
      .reduce((a, b) => a + b, 0);
  }
  // Without rows in flux the test would prove nothing.
  expect(inFlux).toBeGreaterThan(0);
  expect(load.count()).toBeGreaterThan(100);
});

test('stale locks of foreign keys do not put rows in flux', async () => {
  await load.stop();
  // Two sessions share-lock the same parents at once, then both are gone: multixacts stay in xmax for ever.
  const sessions = await Promise.all([live.server.connect('app'), live.server.connect('app')]);
  for (const session of sessions) {
    await session.query('begin');
    await session.query('select from patient where id <= 1000 for key share');
  }
  for (const session of sessions) {
    await session.query('commit');
    await session.close();
  }
  const [stale] = await live.sql('app', 'select count(*) as count from patient where xmax <> 0');
  expect(Number(stale?.count)).toBeGreaterThanOrEqual(900);
  const opened = await open();
  const manifest = await opened.complete();
  const listed = manifest.databases.flatMap((database) => database.tables.map((table) => unpackFlux(table.flux).length));
  expect(listed.every((count) => count === 0)).toBe(true);
});

test('a row updated by a transaction from before the manifest, under a lock from before it, is in flux', async () => {
  const [locker, updater] = await Promise.all([live.server.connect('app'), live.server.connect('app')]);
  await locker?.query('begin');
  await locker?.query('select from patient where id = 2000 for key share');
  await updater?.query('begin');
  await updater?.query(`update patient set name = 'straddles' where id = 2000`);
  await locker?.query('commit');
  const opened = await open();
  await updater?.query('commit');
  const directory = await copyPhysically(live);
  const manifest = await opened.complete();
  expect((await verify(directory, manifest)).failed).toEqual([]);
  await locker?.close();
  await updater?.close();
});

test('an open manifest blocks no DDL, and what DDL does meanwhile is told, not thrown', async () => {
  const opened = await open();
  await live.sql('app', `set lock_timeout = '1s'; truncate counter; alter table log add column extra int; drop index if exists nothing`);
  const manifest = await opened.complete();
  const tables = manifest.databases[0]?.tables ?? [];
  expect(tables.find((table) => table.name === 'counter')?.unread).toMatch(/rewritten or truncated/);
  expect(manifest.databases[0]?.schemaChanges.map((change) => change.name)).toContain('public.log.extra');
});

test('abandoning leaves no session behind', async () => {
  const opened = await open();
  await opened.abandon();
  await opened.abandon();
  await expect
    .poll(
      async () =>
        (await live.sql('postgres', `select from pg_stat_activity where application_name = 'codeblue' and state like 'idle in%'`)).length,
    )
    .toBe(0);
});
