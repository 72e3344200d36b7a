import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { epoch, type FencedDatabase, LONG, REFUSED, SECOND, sqlStateOf, startFencedDatabase, virginia } from './fenced-database.ts';

/** Leases in these tests are made of the database's own time; nothing waits for the test's. */
let database: FencedDatabase;

beforeAll(async () => {
  database = await startFencedDatabase('create table note (id int primary key)', { track_commit_timestamp: 'on' });
}, 60_000);
afterAll(() => database?.stop());

type Act = 'write' | 'savepoint' | 'rollback to savepoint' | 'release' | 'immediate' | 'deferred' | 'commit' | 'rollback';
type Step = { readonly session: number; readonly act: Act } | { readonly lease: 'begins' | 'ends' | 'closed' | 'stale renewal' };

const acts = fc.constantFrom<Act>(
  'write',
  'write',
  'write',
  'savepoint',
  'rollback to savepoint',
  'release',
  'immediate',
  'deferred',
  'commit',
  'commit',
  'rollback',
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ session: fc.nat({ max: 2 }), act: acts }) },
  { weight: 2, arbitrary: fc.record({ lease: fc.constantFrom('begins', 'begins', 'ends', 'closed', 'stale renewal') }) },
);

const statement: Record<Exclude<Act, 'write'>, string> = {
  savepoint: 'savepoint s',
  'rollback to savepoint': 'rollback to savepoint s',
  release: 'release savepoint s',
  immediate: 'set constraints all immediate',
  deferred: 'set constraints all deferred',
  commit: 'commit',
  rollback: 'rollback',
};

/** One session, and what its open transaction has written that no rollback has taken back. */
class Application {
  #client: pg.Client | undefined;
  #open = false;
  /** Ids by savepoint, the outermost first. */
  #written: number[][] = [[]];
  /** Whether the lease has lasted since the transaction began. */
  #undisturbed = true;

  disturb(): void {
    this.#undisturbed = false;
  }

  /** @returns ids that were acknowledged as committed by this act */
  async perform(act: Act, newId: () => number, isOpen: boolean): Promise<readonly number[]> {
    const client = await this.#connected();
    if (!this.#open) {
      this.#undisturbed = isOpen;
      this.#written = [[]];
      await client.query('begin');
      this.#open = true;
    }
    const id = newId();
    const state = await this.#attempt(client.query(act === 'write' ? `insert into note values (${id})` : statement[act]));
    if (state === undefined) return this.#succeeded(act, id);
    if (state === REFUSED || state === 'gone')
      expect({ act, refusedAlthoughOpen: this.#undisturbed }).toEqual({ act, refusedAlthoughOpen: false });
    if (act === 'commit' || act === 'rollback' || state === 'gone') this.#open = false;
    return [];
  }

  #succeeded(act: Act, id: number): readonly number[] {
    if (act === 'write') this.#written.at(-1)?.push(id);
    if (act === 'savepoint') this.#written.push([]);
    if (act === 'rollback to savepoint') this.#written[this.#written.length - 1] = [];
    if (act === 'release') this.#written.push([...(this.#written.splice(-2).flat() ?? [])]);
    if (act !== 'commit' && act !== 'rollback') return [];
    this.#open = false;
    return act === 'commit' ? this.#written.flat() : [];
  }

  /** SQLSTATE, `gone` when the session was ended. A COMMIT of an aborted transaction is answered with ROLLBACK. */
  async #attempt(work: Promise<pg.QueryResult>): Promise<string | undefined> {
    try {
      const { command } = await work;
      if (command === 'ROLLBACK') this.#written = [[]];
      return undefined;
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.severity !== 'FATAL') return error.code;
      this.#client = undefined;
      return 'gone';
    }
  }

  async #connected(): Promise<pg.Client> {
    this.#client ??= await database.application();
    return this.#client;
  }

  async end(): Promise<void> {
    await this.#client?.end().catch(() => {});
  }
}

/** @returns whether the database is open afterwards */
async function changeLease(change: Extract<Step, { lease: unknown }>['lease'], isOpen: boolean): Promise<boolean> {
  if (change === 'begins') {
    await database.lease(LONG);
    return true;
  }
  if (change === 'ends') {
    await database.lease(-1);
    return false;
  }
  const { epoch: current } = await database.fence.state();
  if (change === 'closed') {
    const last = await database.lease(isOpen ? LONG : -1);
    await database.fence.close(epoch(last + 1));
    return false;
  }
  const untilMicros = (await database.fence.clock()) + LONG;
  const stale = { epoch: epoch(Math.max(0, current - 1)), holder: virginia, untilMicros };
  expect(await database.fence.renew(stale)).toBe(current === stale.epoch);
  return isOpen;
}

test('whatever the order: what is acknowledged was committed while the lease lasted, and nothing else is there', async () => {
  let lastId = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const applications = [new Application(), new Application(), new Application()];
      let isOpen = await changeLease('begins', false);
      const committed: number[] = [];
      const first = lastId;
      for (const each of steps) {
        if ('lease' in each) {
          isOpen = await changeLease(each.lease, isOpen);
          if (!isOpen) for (const application of applications) application.disturb();
          continue;
        }
        const acknowledged = await applications[each.session]?.perform(each.act, () => ++lastId, isOpen);
        if (acknowledged && acknowledged.length > 0) expect({ acknowledged, isOpen }).toEqual({ acknowledged, isOpen: true });
        committed.push(...(acknowledged ?? []));
      }
      await Promise.all(applications.map((application) => application.end()));
      const present = await database.postgres.sql('postgres', `select id from app.note where id > ${first} order by id`);
      expect(present.map(({ id }) => Number(id))).toEqual(committed.sort((a, b) => a - b));
    }),
    { numRuns: 40 },
  );
}, 120_000);

/** How far behind the end of the lease a commit record may stand: between the check and the record a loaded machine may run somebody else. */
const COMMIT_MICROS = SECOND / 2;

test('by the clock: writers at full speed commit nothing once the lease has ended', async () => {
  const leases: { readonly from: number; readonly until: number }[] = [];
  let ended = false;
  const writers = [0, 1, 2, 3].map(async (writer) => {
    const client = await database.application();
    let acknowledged = 0;
    for (let attempt = 0; !ended; attempt++) {
      const id = 1_000_000_000 + writer * 10_000_000 + attempt;
      // Every fourth one holds its transaction open for a while, across the end of a lease now and then.
      const state = await sqlStateOf(
        attempt % 4 === 0
          ? client.query(`begin; insert into note values (${id})`).then(() => client.query('select pg_sleep(0.05); commit'))
          : client.query(`insert into note values (${id})`),
      );
      if (state === undefined) acknowledged++;
      else expect(state).toBe(REFUSED);
      await client.query('rollback');
    }
    return acknowledged;
  });
  for (let round = 0; round < 4; round++) {
    const from = await database.fence.clock();
    await database.lease(SECOND / 4);
    const { untilMicros: until } = await database.fence.state();
    leases.push({ from, until });
    while ((await database.fence.clock()) < until + 2 * COMMIT_MICROS);
  }
  ended = true;
  const acknowledged = (await Promise.all(writers)).reduce((sum, count) => sum + count, 0);
  await database.lease(LONG);
  const rows = await database.postgres.sql(
    'postgres',
    `select (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::int8 as at from app.note where id >= 1000000000`,
  );
  const stray = rows
    .map(({ at }) => Number(at))
    .filter((at) => !leases.some(({ from, until }) => at >= from && at <= until + COMMIT_MICROS));
  expect(stray).toEqual([]);
  expect(rows.length).toBe(acknowledged);
  expect(acknowledged).toBeGreaterThan(leases.length);
}, 60_000);
