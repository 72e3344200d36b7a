import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Region, timestamp } from '../../../functions/common/ids.ts';
import { silentLogger } from '../../../functions/common/logger.ts';
import { exportLostWrites } from '../../../functions/failover/failback/lost-writes-export.ts';
import { FailbackRecord } from '../../../functions/failover/failback/models.ts';
import { requestFailback } from '../../../functions/failover/failback/request-failback.ts';
import { listLostWrites } from '../../../functions/failover/failback/steps/list-lost-writes.ts';
import { type CoordinationRecord, Epoch } from '../../../functions/failover/models.ts';
import { writeBeginning } from '../../../functions/failover/move/beginning.ts';
import { runStep } from '../../../functions/handlers/run-operation.ts';
import { memoryItemStore } from '../../../functions/memory/item-store.ts';
import { memoryPorts } from '../../../functions/memory/ports.ts';
import { memoryReports } from '../../../functions/memory/reports.ts';
import { sqlServersFrom } from '../../../functions/memory/sql-servers.ts';
import { east, movableOperations, west } from '../../support/failover-world.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { schema } from './random-writes.ts';
import { caughtUp, cut, followerOf } from './support.ts';

const [first] = movableOperations().databases;
if (!first) throw new Error('no database');
const database = { ...first, databaseNames: ['app'] };
const operations = { ...movableOperations(), databases: [database] };
/** Stands in for what a patient's record says: it may be in the export and nowhere else. */
const secret = 'Ada Lovelace has measles';

let old: TestPostgres;
let current: TestPostgres;
let snapshot: string;

beforeAll(async () => {
  old = await startPostgres();
  await old.sql('postgres', 'create database app');
  await old.sql('app', schema);
  current = await followerOf(old);
  await caughtUp(old, current);
  await cut(current);
  await old.sql('app', `update patient set name = '${secret}' where id < 10; delete from document where id = md5('1')::uuid`);
  await old.sql('app', `insert into journal values (1, '${secret}', 'lost')`);
  await current.sql('postgres', 'select pg_promote()');
  const [row] = await current.sql('postgres', 'select pg_current_snapshot() as snapshot');
  snapshot = row?.snapshot ?? '';
}, 60_000);

afterAll(() => Promise.all([old?.stop(), current?.stop()]));

/** The standby Region leads in epoch 8; what only the old primary has is to be listed. */
async function world({ noted = true, rebuilt = false } = {}) {
  const { systemClock: clock } = await import('../../../functions/common/clock.ts');
  const sqlServers = sqlServersFrom({ live: (_, region) => (region === east ? old.server : current.server) });
  const ports = memoryPorts({ operations, clock, store: memoryItemStore(clock), sqlServers });
  const record: CoordinationRecord = {
    ...{ epoch: Epoch.parse(8), holder: west, phase: 'active', fenced: true, version: 1 },
    ...{ leaseUntil: timestamp(clock.now()), changedAt: timestamp(clock.now()) },
  };
  await ports.coordination.create(record);
  if (rebuilt) ports.fences.server(database.id, east).set({ role: 'replica', follows: west });
  const snapshots = [{ databaseId: database.id, databaseName: 'app', snapshot }];
  const at = timestamp(clock.now());
  if (noted) await writeBeginning(ports.reports, { epoch: Epoch.parse(8), to: west }, { at, snapshots });
  const requested = requestFailback({ operations, record, handOver: true, requestedBy: 'alice', reason: 'back', now: clock.now() });
  if (requested.kind === 'refused') throw new Error(requested.because);
  const host = { ports, operations, region: west, clock, log: silentLogger, codeSha256: '0c'.repeat(32) };
  /** Runs the step until it is done. @returns the record and how many runs it took */
  async function list(secondsEach: number) {
    let result: unknown = { request: requested.kind === 'request' ? requested.request : undefined };
    for (let runs = 1; runs < 50; runs++) {
      result = JSON.parse(JSON.stringify(await runStep(listLostWrites, result, host, new Date(Date.now() + secondsEach * 1000))));
      const parsed = FailbackRecord.parse(result);
      if (parsed.status !== 'listing') return { listed: parsed, runs };
    }
    throw new Error('it never ended');
  }
  return { ports, list };
}

const counts = ({ lost }: FailbackRecord) =>
  lost.map(({ table, inserted, updated, deleted, objects }) => ({ table, inserted, updated, deleted, objects: objects.length }));
const expected = [
  { table: 'public.document', inserted: 0, updated: 0, deleted: 1, objects: 1 },
  { table: 'public.journal', inserted: 1, updated: 0, deleted: 0, objects: 1 },
  { table: 'public.patient', inserted: 0, updated: 10, deleted: 0, objects: 1 },
];

describe('the step that lists lost writes', () => {
  test('counts them in the record, and exports the rows to where they are encrypted', async () => {
    const { ports, list } = await world();
    const { listed, runs } = await list(600);
    expect(runs).toBe(1);
    expect(listed).toMatchObject({ status: 'listed', lostRows: 12, notListed: [] });
    expect(counts(listed)).toEqual(expected);
    const [key = ''] = listed.lost.find(({ table }) => table === 'public.patient')?.objects ?? [];
    expect(key).toMatch(/^lost-writes\/8\/hms\/app\/\d{8}t\d{9}z\/public\.patient-0001\.ndjson$/);
    const lines = Buffer.from((await ports.reports.get(west, key)) ?? [])
      .toString()
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      ...{ kind: 'updated', changedSince: false, key: { id: '3' } },
      row: { id: 3, name: secret, born: '1970-01-01', stamp: 'base' },
    });
    const metric = ports.metrics.recorded.find(({ name }) => name === 'LostRows');
    expect(metric).toMatchObject({ value: 12, dimensions: { Database: 'hms' } });
  });

  test('tells nobody else what the rows say', async () => {
    const { ports, list } = await world();
    const { listed } = await list(600);
    const told = JSON.stringify([listed, await ports.auditLog.recent(new Date(0), 1000), ports.metrics.recorded]);
    expect(told).toContain('list-lost-writes');
    expect(told).not.toContain('Lovelace');
  });

  test('goes on after the last table when time is short, and finds the same', async () => {
    const { list } = await world();
    const { listed, runs } = await list(50);
    expect(runs).toBeGreaterThanOrEqual(5);
    expect(listed.lostRows).toBe(12);
    expect(counts(listed)).toEqual(expected);
  });

  test('says what it cannot list', async () => {
    const unknown = await world({ noted: false });
    expect((await unknown.list(600)).listed).toMatchObject({
      status: 'listed',
      notListed: [{ why: 'nobody noted where app of us-west-2 begins' }],
    });
    const rebuilt = await world({ rebuilt: true });
    expect((await rebuilt.list(600)).listed).toMatchObject({
      status: 'listed',
      notListed: [{ why: expect.stringMatching(/replica already/) }],
    });
  });
});

describe('the export', () => {
  test('breaks a table into objects of some megabytes, in order, and never mixes tables', async () => {
    const { systemClock: clock } = await import('../../../functions/common/clock.ts');
    const reports = memoryReports(memoryItemStore(clock));
    const home = Region.parse('us-west-2');
    const exported = exportLostWrites(reports, home, 'lost-writes/8/hms/app/run');
    const write = (index: number) => ({
      ...{ kind: 'inserted' as const, changedSince: false, key: { id: String(index) }, contentHash: '' },
      whole: JSON.stringify({ id: index, note: 'x'.repeat(100_000) }),
    });
    for (let index = 0; index < 200; index += 10)
      await exported.keep(
        'public.big',
        Array.from({ length: 10 }, (_, each) => write(index + each)),
      );
    const big = await exported.finish('public.big');
    await exported.keep('a "strange"/table', [write(1)]);
    const strange = await exported.finish('a "strange"/table');
    expect(await exported.finish('public.empty')).toEqual([]);
    expect(big.length).toBe(3);
    expect(strange).toEqual(['lost-writes/8/hms/app/run/a%20%22strange%22%2Ftable-0001.ndjson']);
    const texts = await Promise.all(big.map(async (key) => Buffer.from((await reports.get(home, key)) ?? []).toString()));
    expect(
      texts
        .join('')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).row.id),
    ).toEqual([...Array(200).keys()]);
  });
});
