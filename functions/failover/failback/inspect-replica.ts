import { NotFound } from '../../common/errors.ts';
import { canaryState, readIdentity } from '../../verify/canary.ts';
import { scanCopy } from '../../verify/copy-scan.ts';
import type { DatabaseInspection } from '../../verify/inspection.ts';
import type { DatabaseManifest } from '../../verify/manifest.ts';
import type { SqlServer, SqlSession } from '../../verify/ports.ts';
import { hashFunctionsOf } from '../../verify/row-hash.ts';
import { listSchema } from '../../verify/schema-objects.ts';
import { readSequences } from '../../verify/sequences.ts';
import { openSession, type SessionLimits } from '../../verify/session.ts';
import { listTables, listUnloggedTables } from '../../verify/tables.ts';

export interface ReplicaInspection {
  readonly replica: SqlServer;
  /** The database. */
  readonly name: string;
  /** In a transaction whose snapshot is the instant to look at. */
  readonly holder: SqlSession;
  readonly manifest: DatabaseManifest | undefined;
  readonly workers?: number;
  readonly limits: SessionLimits;
}

/**
 * One database of a hot standby as of the instant that `holder` holds: its catalogs, its canaries, and every row of every table once.
 * @throws ServiceUnavailable when replay ended the instant; SqlFailed
 */
export async function inspectReplica({
  replica,
  name,
  holder,
  manifest,
  workers = 2,
  limits,
}: ReplicaInspection): Promise<DatabaseInspection> {
  const [facts] = await holder.query(
    `select pg_encoding_to_char(encoding) as encoding, datcollate as collation, pg_export_snapshot() as snapshot
     from pg_database where datname = current_database()`,
  );
  if (!facts?.snapshot) throw new NotFound(`the replica has no database ${name}`);
  const tables = await listTables(holder);
  const sessions: SqlSession[] = [];
  try {
    while (sessions.length < Math.max(1, workers)) sessions.push(await openSession(replica, name, limits));
    const functions = await hashFunctionsOf(holder);
    const inspected = {
      name,
      encoding: facts.encoding ?? '',
      collation: facts.collation ?? '',
      identity: await readIdentity(holder),
      canary: await canaryState(holder),
      schema: await listSchema(holder),
      unlogged: await listUnloggedTables(holder),
      sequences: await readSequences(holder),
      tables: await scanCopy({ tables, sessions, functions, manifest, snapshot: facts.snapshot }),
      ...{ foreignKeys: [], indexes: [], constraints: [], invariants: [], errors: [] },
    };
    // An instant that replay ended meanwhile could not be read under to the end: then this fails too, and nothing was found out.
    await holder.query('select pg_current_snapshot()');
    return inspected;
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}
