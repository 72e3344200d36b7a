import type { Clock } from '../common/clock.ts';
import type { Invariant } from '../common/operations.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import { type CanaryState, canaryState, databaseNamesOf, readIdentity } from './canary.ts';
import { checkConstraints, checkInvariants } from './constraints.ts';
import { scanCopy } from './copy-scan.ts';
import { checkForeignKeys } from './foreign-keys.ts';
import { checkIndexes } from './indexes.ts';
import type { Answer, DatabaseInspection, Inspection } from './inspection.ts';
import type { Manifest } from './manifest.ts';
import type { SqlServer, SqlSession } from './ports.ts';
import { hashFunctionsOf } from './row-hash.ts';
import { DeadlinePassed, reasonOf } from './scan.ts';
import { listSchema } from './schema-objects.ts';
import { readSequences } from './sequences.ts';
import { LOCK_SECONDS, openSession } from './session.ts';
import { listTables, listUnloggedTables } from './tables.ts';

export interface InspectionRequest {
  /** What the copy must show; left out for a point in time, which no manifest was taken of. */
  readonly manifest?: Manifest | undefined;
  /** Databases to look into; those of the manifest, or all, when left out. */
  readonly databaseNames?: readonly string[] | undefined;
  readonly invariants: readonly Invariant[];
  /** Sessions that read at the same time. */
  readonly workers?: number;
  readonly deadline: Date;
  readonly clock: Clock;
}

/**
 * Reads a restored copy: every row once, and everything else that can be asked of it. Damage is a finding of the inspection, with the name of
 * what is damaged; only a server that is gone, or time that ran out, ends it.
 *
 * @throws ServiceUnavailable, DeadlinePassed, InvalidInput (PostgreSQL before 14)
 */
export async function inspectRestored(server: SqlServer, request: InspectionRequest): Promise<Inspection> {
  const present = await databaseNamesOf(server);
  const wanted = request.databaseNames ?? request.manifest?.databases.map((database) => database.name) ?? present;
  const databases: DatabaseInspection[] = [];
  for (const name of wanted.filter((each) => present.includes(each))) databases.push(await inspectDatabase(server, name, request));
  return { serverVersion: await versionOf(server, present), inspectedAt: request.clock.now(), databases };
}

async function versionOf(server: SqlServer, present: readonly string[]): Promise<string> {
  const session = await server.connect(present[0] ?? 'postgres');
  try {
    const [row] = await session.query('show server_version');
    return row?.server_version ?? '';
  } finally {
    await session.close();
  }
}

async function inspectDatabase(server: SqlServer, name: string, request: InspectionRequest): Promise<DatabaseInspection> {
  const statementSeconds = (request.deadline.getTime() - request.clock.now().getTime()) / 1000;
  if (statementSeconds <= 0) throw new DeadlinePassed('inspecting the restored database');
  const sessions: SqlSession[] = [];
  const errors: string[] = [];
  /** A catalog that cannot be read is a finding like any other damage. */
  const told = async <T>(what: string, otherwise: T, read: () => Promise<T>): Promise<T> => {
    const found = await orReason(what, read);
    if (!(found instanceof SqlFailed)) return found;
    errors.push(`${what}: ${reasonOf(found)}`);
    return otherwise;
  };
  try {
    for (let count = 0; count < Math.max(1, request.workers ?? 2); count++) {
      sessions.push(await openSession(server, name, { statementSeconds, lockSeconds: LOCK_SECONDS }));
    }
    const [first] = sessions;
    if (!first) throw new DeadlinePassed('connecting');
    const [facts] = await first.query(
      'select pg_encoding_to_char(encoding) as encoding, datcollate as collation from pg_database where datname = current_database()',
    );
    const manifest = request.manifest?.databases.find((database) => database.name === name);
    const tables = await told('the list of tables', [], () => listTables(first));
    return {
      name,
      encoding: facts?.encoding ?? '',
      collation: facts?.collation ?? '',
      identity: await told<string | undefined>('the identity', undefined, () => readIdentity(first)),
      canary: await told<CanaryState | undefined>('the canary', undefined, () => readCanary(first)),
      schema: await told('the schema', [], () => listSchema(first)),
      unlogged: await told('the list of unlogged tables', [], () => listUnloggedTables(first)),
      sequences: await told('the sequences', [], () => readSequences(first)),
      tables: await scanCopy({ tables, sessions, functions: await hashFunctionsOf(first), manifest }),
      foreignKeys: await answers('the foreign keys', () => checkForeignKeys(sessions)),
      constraints: await answers('the constraints', () => checkConstraints(sessions, tables)),
      invariants: await told('the invariants', [], () => checkInvariants(first, request.invariants)),
      // Last: it may create an extension in our schema.
      indexes: await answers('the indexes', () => checkIndexes(sessions, tables)),
      errors,
    };
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

async function orReason<T>(what: string, read: () => Promise<T>): Promise<T | SqlFailed> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    if (error.sqlState === '57014') throw new DeadlinePassed(`reading ${what}`);
    return error;
  }
}

/** Where not even the list of objects can be read, that is the answer. */
async function answers(what: string, read: () => Promise<readonly Answer[]>): Promise<readonly Answer[]> {
  const found = await orReason(what, read);
  return found instanceof SqlFailed ? [{ name: what, offences: undefined, reason: reasonOf(found), outcome: 'error' }] : found;
}

async function readCanary(session: SqlSession): Promise<CanaryState | undefined> {
  const [row] = await session.query(`select to_regclass('codeblue.canary') is not null as present`);
  return row?.present === 't' ? canaryState(session) : undefined;
}
