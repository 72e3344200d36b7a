import type { Clock } from '../../common/clock.ts';
import { ServiceUnavailable } from '../../common/errors.ts';
import type { DatabaseId, RecoveryPointId } from '../../common/ids.ts';
import { SqlFailed } from '../../common/sql-failed.ts';
import { type Canary, databaseNamesOf, newestCanary, writeCanary } from '../../verify/canary.ts';
import type { DatabaseInspection } from '../../verify/inspection.ts';
import { judge } from '../../verify/judge.ts';
import type { Check } from '../../verify/models.ts';
import { openManifest } from '../../verify/open-manifest.ts';
import type { SqlServer, SqlSession } from '../../verify/ports.ts';
import { DeadlinePassed } from '../../verify/scan.ts';
import { LOCK_SECONDS, openSession, type SessionLimits } from '../../verify/session.ts';
import { inspectReplica } from './inspect-replica.ts';

export interface ReplicaProofRequest {
  readonly primary: SqlServer;
  readonly replica: SqlServer;
  readonly databaseId: DatabaseId;
  readonly databaseNames?: readonly string[] | undefined;
  /** Names the manifest that the replica is held against. */
  readonly recoveryPointId: RecoveryPointId;
  /** Sessions that read at the same time, on each side. */
  readonly workers?: number;
  readonly deadline: Date;
  readonly clock: Clock;
}

/** What a replica is asked. Indexes, foreign keys and constraints are those of the primary, block by block; they are asked of restored backups. */
const asked = new Set(['identity', 'window', 'schema', 'rows', 'content', 'sequences']);

/** Replay may cancel the reading of the replica; then both sides are read once more. */
const ATTEMPTS = 3;
const POLL_MS = 200;

/**
 * Holds a streaming replica against its primary while that is written to, by the argument of docs/adr/0003-manifest-under-load.md: the replica's part
 * is the copy. It is read in transactions of one snapshot that was taken after the replay of a canary from inside the manifest's window, and
 * before the canary at its end is written: it shows one instant in between. Every row is read on both sides.
 *
 * @returns the checks; equal when none failed
 * @throws ServiceUnavailable when the replica does not follow or keeps cancelling the reading; DeadlinePassed; what `openManifest` throws
 */
export async function proveReplica(request: ReplicaProofRequest): Promise<readonly Check[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readBoth(request);
    } catch (error) {
      const passing = error instanceof ServiceUnavailable || (error instanceof SqlFailed && error.sqlState === '40001');
      if (!passing) throw error;
      if (attempt === ATTEMPTS) {
        throw new ServiceUnavailable('the replica did not stay readable for as long as a comparison takes', {
          hint: 'Replay cancels long queries: turn hot_standby_feedback on for the replica, or raise max_standby_streaming_delay.',
          cause: error,
        });
      }
    }
  }
}

async function readBoth(request: ReplicaProofRequest): Promise<readonly Check[]> {
  const open = await openManifest(request.primary, request);
  const holders: { readonly name: string; readonly session: SqlSession }[] = [];
  try {
    for (const name of await databaseNamesOf(request.primary, request.databaseNames)) {
      holders.push({ name, session: await instantOfReplica(request, name) });
    }
    // Its first act is the canary at the end of the window: by now the replica's instants are fixed.
    const manifest = await open.complete();
    const databases: DatabaseInspection[] = [];
    for (const { name, session } of holders) {
      const described = manifest.databases.find((database) => database.name === name);
      databases.push(await inspectReplica({ ...request, name, holder: session, manifest: described, limits: limitsOf(request) }));
    }
    const inspection = { serverVersion: manifest.serverVersion, inspectedAt: request.clock.now(), databases };
    return judge(inspection, manifest, { target: { kind: 'recovery-point' } }).filter(({ id }) => asked.has(id));
  } finally {
    await open.abandon();
    await Promise.all(holders.map(({ session }) => session.close()));
  }
}

function limitsOf({ deadline, clock }: ReplicaProofRequest): SessionLimits {
  const statementSeconds = (deadline.getTime() - clock.now().getTime()) / 1000;
  if (statementSeconds <= 0) throw new DeadlinePassed('comparing the replica with its primary');
  return { statementSeconds, lockSeconds: LOCK_SECONDS };
}

/** A transaction on the replica that sees a canary which the primary wrote just now; a log position would do too, but not every service tells one. */
async function instantOfReplica(request: ReplicaProofRequest, name: string): Promise<SqlSession> {
  const { seq } = await canaryOnPrimary(request, name);
  const session = await openSession(request.replica, name, limitsOf(request));
  try {
    for (;;) {
      await session.query('begin isolation level repeatable read read only');
      const newest = await newestCanary(session);
      if (newest && newest.seq >= seq) return session;
      await session.query('rollback');
      if (request.clock.now().getTime() + POLL_MS > request.deadline.getTime()) {
        throw new DeadlinePassed('waiting for the replica to replay a canary');
      }
      await request.clock.sleep(POLL_MS);
    }
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function canaryOnPrimary(request: ReplicaProofRequest, name: string): Promise<Canary> {
  const session = await openSession(request.primary, name, limitsOf(request));
  try {
    return await writeCanary(session, 'failback');
  } finally {
    await session.close();
  }
}
