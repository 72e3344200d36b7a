import type { Clock } from '../common/clock.ts';
import { CodeblueError, InvalidInput } from '../common/errors.ts';
import { type DatabaseId, type RecoveryPointId, type Timestamp, timestamp } from '../common/ids.ts';
import { parseAs } from '../common/parse.ts';
import { type Canary, databaseNamesOf, installCanary, readIdentity, writeCanary } from './canary.ts';
import { scanLive } from './live-scan.ts';
import { type DatabaseManifest, Manifest, type SchemaObject, type SequenceState } from './manifest.ts';
import type { SqlServer, SqlSession } from './ports.ts';
import { hashFunctionsOf } from './row-hash.ts';
import { DeadlinePassed } from './scan.ts';
import { changesBetween, listSchema } from './schema-objects.ts';
import { mergeSequences, readSequences } from './sequences.ts';
import { LOCK_SECONDS, openSession, type SessionLimits } from './session.ts';
import { listTables, listUnloggedTables, type TableShape } from './tables.ts';

export interface ManifestRequest {
  readonly databaseId: DatabaseId;
  readonly recoveryPointId: RecoveryPointId;
  /** Databases of the server to cover; all of them when left out. */
  readonly databaseNames?: readonly string[] | undefined;
  /** Sessions that read at the same time, per server. */
  readonly workers?: number;
  /** Everything must be read by then. */
  readonly deadline: Date;
  readonly clock: Clock;
}

/** A manifest between its two ends. Exactly one of the two calls closes its sessions; so does a `complete` that throws. */
export interface OpenManifest {
  /** To be called once the copy is captured: reads every table as it was when the manifest was opened. @throws DeadlinePassed */
  complete(): Promise<Manifest>;
  /** Gives up. Safe to call twice, and after `complete`. */
  abandon(): Promise<void>;
}

/** The manifest cannot be taken from here. */
class NotThePrimary extends CodeblueError {
  override readonly name = 'NotThePrimary';
  readonly retryable = false;
}

interface OpenDatabase {
  readonly name: string;
  /** Holds the snapshot from before the copy. */
  readonly before: SqlSession;
  readonly snapshot: string;
  readonly from: string;
  readonly multixactsFrom: string;
  readonly tables: readonly TableShape[];
  readonly unlogged: readonly string[];
  readonly schema: readonly SchemaObject[];
  readonly sequences: readonly SequenceState[];
  readonly identity: string;
  readonly startCanary: Canary;
  readonly encoding: string;
  readonly collation: string;
  readonly serverVersion: string;
}

/**
 * Opens the manifest of a live server. Call it before the copy is asked for; docs/adr/0003-manifest-under-load.md has the argument why
 * what it counts must be in the copy.
 *
 * @throws ServiceUnavailable, InvalidInput (PostgreSQL before 14), NotThePrimary, NotFound (a given database)
 */
export async function openManifest(server: SqlServer, request: ManifestRequest): Promise<OpenManifest> {
  const openedAt = timestamp(request.clock.now());
  const open: OpenDatabase[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.splice(0).map((database) => database.before.close()));
  };
  try {
    for (const name of await databaseNamesOf(server, request.databaseNames)) {
      open.push(await openDatabase(server, name, limitsOf(request)));
    }
    if (open.length === 0) throw new InvalidInput('the server has no database to take a manifest of');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    abandon: close,
    async complete() {
      try {
        return await completeAll(server, request, open, openedAt);
      } finally {
        await close();
      }
    },
  };
}

function limitsOf(request: ManifestRequest): SessionLimits {
  const statementSeconds = (request.deadline.getTime() - request.clock.now().getTime()) / 1000;
  if (statementSeconds <= 0) throw new DeadlinePassed('taking the manifest');
  return { statementSeconds, lockSeconds: LOCK_SECONDS };
}

async function openDatabase(server: SqlServer, name: string, limits: SessionLimits): Promise<OpenDatabase> {
  const writer = await openSession(server, name, limits);
  let before: SqlSession | undefined;
  try {
    const facts = await factsOf(writer);
    await installCanary(writer);
    before = await openSession(server, name, limits);
    await before.query('begin isolation level repeatable read read only');
    const mark = await markOf(before);
    // Locks of the catalog are gone with each statement; this transaction keeps none on any table.
    const tables = await listTables(writer);
    const opened = {
      name,
      before,
      snapshot: mark.snapshot,
      from: mark.xmin,
      multixactsFrom: mark.nextMultixact,
      tables,
      unlogged: await listUnloggedTables(writer),
      schema: await listSchema(writer),
      sequences: await readSequences(writer),
      identity: await identityOf(writer),
      ...facts,
    };
    // Last: its commit flushes the log, so everything that the snapshot saw is on disk before the copy begins.
    await writer.query('set synchronous_commit = local');
    return { ...opened, startCanary: await writeCanary(writer, 'manifest-start') };
  } catch (error) {
    await before?.close();
    throw error;
  } finally {
    await writer.close();
  }
}

async function completeAll(
  server: SqlServer,
  request: ManifestRequest,
  open: readonly OpenDatabase[],
  openedAt: Timestamp,
): Promise<Manifest> {
  const databases: DatabaseManifest[] = [];
  // First of all databases: the nearer to the copy, the fewer rows are in flux.
  const ends = await Promise.all(open.map((database) => endOf(server, database, limitsOf(request))));
  try {
    for (const end of ends) databases.push(await completeDatabase(server, request, end));
  } finally {
    await Promise.all(ends.map((end) => end.after.close()));
  }
  const [first] = open;
  return parseAs(
    Manifest,
    {
      format: 'codeblue-manifest/1',
      databaseId: request.databaseId,
      recoveryPointId: request.recoveryPointId,
      serverVersion: first?.serverVersion ?? '',
      openedAt,
      completedAt: timestamp(request.clock.now()),
      databases,
    },
    'the manifest',
  );
}

interface End {
  readonly database: OpenDatabase;
  /** Holds the snapshot from right after the copy. */
  readonly after: SqlSession;
  readonly snapshot: string;
  readonly to: string;
  readonly multixactsTo: string;
  readonly endCanary: Canary;
}

async function endOf(server: SqlServer, database: OpenDatabase, limits: SessionLimits): Promise<End> {
  const after = await openSession(server, database.name, limits);
  try {
    const endCanary = await writeCanary(after, 'manifest-end');
    await after.query('begin isolation level repeatable read read only');
    const mark = await markOf(after);
    return { database, after, snapshot: mark.snapshot, to: mark.xmax, multixactsTo: mark.nextMultixact, endCanary };
  } catch (error) {
    await after.close();
    throw error;
  }
}

async function completeDatabase(server: SqlServer, request: ManifestRequest, end: End): Promise<DatabaseManifest> {
  const { database } = end;
  const sessions: SqlSession[] = [];
  try {
    for (let count = 0; count < Math.max(1, request.workers ?? 2); count++) {
      sessions.push(await openSession(server, database.name, limitsOf(request)));
    }
    const [first] = sessions;
    if (!first) throw new InvalidInput('a manifest needs a worker');
    const sequences = mergeSequences(database.sequences, await readSequences(first));
    const tables = await scanLive({
      tables: database.tables,
      sessions,
      functions: await hashFunctionsOf(first),
      snapshotBefore: database.snapshot,
      snapshotAfter: end.snapshot,
      recent: { from: database.from, to: end.to },
      multixacts: { from: database.multixactsFrom, to: end.multixactsTo },
    });
    return {
      name: database.name,
      encoding: database.encoding,
      collation: database.collation,
      identity: database.identity,
      startCanary: database.startCanary,
      endCanary: end.endCanary,
      recent: { from: database.from, to: end.to },
      schema: [...database.schema],
      schemaChanges: changesBetween(database.schema, await listSchema(first)),
      sequences: [...sequences],
      tables: [...tables],
      unlogged: [...database.unlogged],
    };
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

interface Mark {
  readonly snapshot: string;
  readonly xmin: string;
  readonly xmax: string;
  readonly nextMultixact: string;
}

/** The transaction's snapshot, exported, and where the counters stand. Multixacts are read after it: none that it could see is missed. */
async function markOf(session: SqlSession): Promise<Mark> {
  const [row] = await session.query(
    `select pg_snapshot_xmin(s) as xmin, pg_snapshot_xmax(s) as xmax, pg_export_snapshot() as snapshot from pg_current_snapshot() s`,
  );
  const [multixact] = await session.query(`select (mxid_age('1'::xid)::int8 + 1) & 4294967295 as next`);
  return { snapshot: row?.snapshot ?? '', xmin: row?.xmin ?? '', xmax: row?.xmax ?? '', nextMultixact: multixact?.next ?? '1' };
}

async function factsOf(session: SqlSession): Promise<{ encoding: string; collation: string; serverVersion: string }> {
  const [row] =
    await session.query(`select pg_is_in_recovery() as standby, pg_encoding_to_char(encoding) as encoding, datcollate as collation,
    current_setting('server_version') as version from pg_database where datname = current_database()`);
  if (row?.standby === 't') {
    throw new NotThePrimary('a manifest is taken from the primary: a standby hands out no transaction ids', {
      hint: 'Give the address of the writer.',
    });
  }
  return { encoding: row?.encoding ?? '', collation: row?.collation ?? '', serverVersion: row?.version ?? '' };
}

async function identityOf(session: SqlSession): Promise<string> {
  const nonce = await readIdentity(session);
  if (nonce === undefined) throw new InvalidInput('the identity row of schema codeblue is gone');
  return nonce;
}
