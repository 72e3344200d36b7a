import { z } from 'zod';
import { parseAs } from '../../common/parse.ts';
import { databaseNamesOf } from '../../verify/canary.ts';
import type { SqlServer, SqlSession } from '../../verify/ports.ts';
import { Epoch, type Position } from '../models.ts';
import type { Fence, FenceState } from '../ports.ts';
import { closeLease, type DatabaseLease, nowMicros, readLease, renewLease } from './database-lease.ts';
import { type ApplicationTable, isFenced, listApplicationTables } from './fenced-tables.ts';
import { NEVER_LEASED_UNTIL } from './lease-objects.ts';
import { serverPosition } from './server-position.ts';

interface DatabaseState {
  readonly name: string;
  readonly lease: DatabaseLease | undefined;
  readonly tables: readonly ApplicationTable[];
  readonly snapshot: string;
  readonly isReplica: boolean;
}

/**
 * Waits for nothing that another session holds: two guardians renew, and a lock on the lease is held for the time of a commit. `local`: durable here; a
 * synchronous standby that is gone must not keep a renewal waiting.
 */
const settings = `set search_path = pg_catalog; set lock_timeout = '2s'; set statement_timeout = '15s'; set synchronous_commit = local;
  set datestyle = 'ISO, YMD'; set timezone = 'UTC'; set idle_in_transaction_session_timeout = 0`;

/**
 * The lease inside one server, over its databases: each has its own, renewed, closed and read together. Sessions stay open until `end`; one that
 * breaks makes every later call throw, and the caller opens another fence. Nothing here is bounded in time but by the server's own timeouts: a
 * server that does not answer at all is the caller's to give up (`within`).
 *
 * @param databaseNames as in the config; every database of the server when left out
 * @throws ServiceUnavailable when the server refuses or does not answer; SqlFailed (3D000) when a named database is not there
 */
export async function fenceOver(server: SqlServer, databaseNames?: readonly string[]): Promise<Fence> {
  // Those of the config are believed: asking the server would cost a connection more, and a guardian has two seconds.
  const names = databaseNames ? [...databaseNames].sort() : await databaseNamesOf(server);
  const opened = await Promise.allSettled(names.map((name) => openLeaseSession(server, name)));
  const sessions = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = opened.find((each) => each.status === 'rejected');
  if (failed) {
    await Promise.all(sessions.map((session) => session.close()));
    throw failed.reason;
  }
  return fenceOn(names, sessions);
}

async function openLeaseSession(server: SqlServer, databaseName: string): Promise<SqlSession> {
  const session = await server.connect(databaseName);
  try {
    await session.query(settings);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

const Clock = z.object({ micros: z.coerce.number().pipe(z.int()) });

function fenceOn(names: readonly string[], sessions: readonly SqlSession[]): Fence {
  const position = (): Promise<Position> => serverPosition(sessions);
  return {
    async clock() {
      const [row] = (await sessions[0]?.query(`select ${nowMicros} as micros`)) ?? [];
      return parseAs(Clock, row, 'the clock of the database').micros;
    },
    async renew(lease) {
      const answers = await Promise.all(
        // A database without a fence accepts writes in any case: there is nothing to renew, and `state` says so.
        sessions.map(async (session) => (await readLease(session)) === undefined || renewLease(session, lease)),
      );
      return answers.every(Boolean);
    },
    async close(epoch, closing = {}) {
      await Promise.all(sessions.map(async (session) => (await readLease(session)) && closeLease(session, epoch, closing)));
      return position();
    },
    async state() {
      return combined(await Promise.all(sessions.map((session, index) => stateOf(session, names[index] ?? ''))));
    },
    position,
    async end() {
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

async function stateOf(session: SqlSession, name: string): Promise<DatabaseState> {
  const lease = await readLease(session);
  const tables = await listApplicationTables(session);
  const [row] = await session.query('select pg_current_snapshot() as snapshot, pg_is_in_recovery() as replica');
  return { name, lease, tables, snapshot: row?.snapshot ?? '', isReplica: row?.replica === 't' };
}

/** A server is as open as its most open database, as far as its latest epoch, and closed for what all of them are closed for. */
function combined(databases: readonly DatabaseState[]): FenceState {
  const leases = databases.flatMap(({ lease }) => (lease ? [lease] : []));
  const epoch = Epoch.parse(Math.max(0, ...leases.map((lease) => lease.epoch)));
  const closings = leases.map(({ closedFor }) => closedFor);
  const isReplica = databases.some((database) => database.isReplica);
  const closedFor = closings.includes(undefined) ? undefined : Math.min(...closings.map((each) => each ?? 0));
  return {
    installed: databases.some(({ lease, tables }) => lease !== undefined && tables.some(isFenced)),
    epoch,
    holder: leases.find((lease) => lease.epoch === epoch)?.holder,
    untilMicros: leases.length === 0 ? NEVER_LEASED_UNTIL : Math.max(...leases.map(({ untilMicros }) => untilMicros)),
    open: !isReplica && databases.some(({ lease, tables }) => (lease ? lease.lasts : tables.length > 0)),
    replacedIn: leases.find(({ replacedIn }) => replacedIn !== undefined)?.replacedIn,
    closedFor: closedFor === undefined || leases.length === 0 ? undefined : Epoch.parse(closedFor),
    unfenced: databases.flatMap(({ name, tables }) =>
      tables.filter((table) => !isFenced(table)).map((table) => `${name}.${table.schema}.${table.name}`),
    ),
    isReplica,
    snapshots: Object.fromEntries(databases.map(({ name, snapshot }) => [name, snapshot])),
  };
}
