import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { minutes } from '../common/duration.ts';
import { CodeblueError, ServiceUnavailable } from '../common/errors.ts';
import { DatabaseId, type Region, timestamp } from '../common/ids.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { defineTask, type TaskContext } from '../common/task.ts';
import { encodeManifest } from '../verify/manifest.ts';
import { openManifest } from '../verify/open-manifest.ts';
import { sha256Hex } from '../verify/proof.ts';
import { BackupKind, type Location, type RecoveryPoint, recoveryPointId, type Snapshot } from './models.ts';
import type { Databases, SnapshotRef } from './ports.ts';

/** Time kept free at the end of a run for storing the manifest and the inventory line. */
const wrapUpMilliseconds = 30_000;

/** Each attempt may leave a snapshot until the sweeper comes, and an account holds 100: stop early, the alarm has rung. */
const attemptsPerPoint = 3;

/** A recovery point whose every attempt failed. */
class GaveUp extends CodeblueError {
  override readonly name = 'GaveUp';
  readonly retryable = false;
}

/**
 * Takes one recovery point with its manifest (rows B1, B7). The manifest is opened before the snapshot and completed after
 * it, so that both bracket the instant the snapshot shows; ADR 3 has the argument.
 *
 * A run that crashed left a snapshot without a manifest. Such a snapshot is still a backup, so it is given up only once a
 * later attempt under the same recovery point has both.
 */
export const backupDatabase = defineTask({
  name: 'backup-database',
  summary: 'Takes a snapshot of a database with a manifest of its content.',
  schedule: (operations) =>
    operations.databases.flatMap((database) =>
      (['daily', 'six-hourly'] as const).flatMap((kind) => {
        const schedule = database.backups[kind];
        return schedule ? [{ key: `${database.id}/${kind}`, schedule, input: { databaseId: database.id, kind } }] : [];
      }),
    ),
  runsIn: 'active',
  network: 'production',
  timeout: minutes(15),
  memoryMegabytes: 1769, // one full processor: the hashing is done by PostgreSQL, but flux lists are parsed here
  needs: [
    'databases:describe',
    'databases:snapshot',
    'recovery-points:read',
    'recovery-points:write',
    'manifests:write',
    'sql-servers:live',
  ],
  input: z.strictObject({ databaseId: DatabaseId, kind: BackupKind }),
  async run({ databaseId, kind }, context) {
    const { operations, recoveryPoints, manifests, databases, sqlServers, region, clock, scheduledAt, deadline, log } = context;
    const database = databaseOf(operations, databaseId);
    const id = recoveryPointId(databaseId, kind, scheduledAt);
    const begun = (await recoveryPoints.get(id)) ?? newPoint({ id, databaseId, kind, requestedAt: timestamp(scheduledAt) });
    if (begun.manifestSha256) return { recoveryPointId: id, taken: false };
    if (begun.locations.length >= attemptsPerPoint) {
      throw new GaveUp(`recovery point ${id} failed ${attemptsPerPoint} times`, {
        hint: 'Look at the failed runs in the audit log, then run `codeblue backup now`.',
      });
    }
    if (begun.version === 0 && begun.locations.length === 0) await recoveryPoints.add(begun);

    // Written down before it exists: whatever happens next, the inventory knows the snapshot.
    const attempt: Location = {
      region,
      role: 'home',
      snapshotId: begun.locations.length === 0 ? id : `${id}-${begun.locations.length + 1}`,
      keyId: 'pending',
      status: 'creating',
    };
    const noted = await recoveryPoints.update({ ...begun, locations: [...begun.locations, attempt] });

    const server = await sqlServers.live(databaseId, region);
    const manifest = await openManifest(server, {
      databaseId,
      recoveryPointId: id,
      databaseNames: database.databaseNames,
      deadline: new Date(deadline.getTime() - wrapUpMilliseconds),
      clock,
    });
    try {
      const ref = { region, snapshotId: attempt.snapshotId };
      await audited(
        context,
        { actor: 'task/backup-database', action: 'create-snapshot', resource: ref.snapshotId, details: { kind } },
        () => databases.createSnapshot({ ...ref, databaseId, kind }),
      );
      const snapshot = await captured(databases, ref, context);
      const bytes = encodeManifest(await manifest.complete());
      await manifests.put(region, id, bytes);
      await recoveryPoints.update({
        ...noted,
        manifestSha256: sha256Hex(bytes),
        engineVersion: snapshot.engineVersion,
        sizeBytes: snapshot.sizeBytes,
        locations: [...noted.locations.slice(0, -1).map(givenUp(region)), locationNow(attempt, snapshot, clock.now())],
      });
      log.info('recovery point taken', { recoveryPointId: id, manifestBytes: bytes.length });
      return { recoveryPointId: id, taken: true };
    } catch (error) {
      await manifest.abandon();
      throw error;
    }
  },
});

const newPoint = (point: Pick<RecoveryPoint, 'id' | 'databaseId' | 'kind' | 'requestedAt'>): RecoveryPoint => ({
  ...point,
  locations: [],
  version: 0,
});

/** An earlier attempt's snapshot, now superseded: the sweeper removes what only a failed location names. */
const givenUp =
  (region: Region) =>
  (location: Location): Location =>
    location.region === region && location.role === 'home' ? { ...location, status: 'failed' } : location;

/** A location as its snapshot now stands. */
export function locationNow(location: Location, snapshot: Snapshot, now: Date): Location {
  const becameAvailable = snapshot.status === 'available' && location.status !== 'available';
  return { ...location, keyId: snapshot.keyId, status: snapshot.status, ...(becameAvailable ? { availableAt: timestamp(now) } : {}) };
}

/** Waits until the instant that the snapshot shows has passed. @throws ServiceUnavailable at the deadline or when it failed */
async function captured(databases: Databases, ref: SnapshotRef, { clock, deadline }: TaskContext): Promise<Snapshot> {
  for (;;) {
    const snapshot = await databases.describeSnapshot(ref);
    if (snapshot?.status === 'failed') throw new ServiceUnavailable(`the database service failed to take snapshot ${ref.snapshotId}`);
    if (snapshot?.captured) return snapshot;
    if (clock.now().getTime() + wrapUpMilliseconds > deadline.getTime()) {
      throw new ServiceUnavailable(`snapshot ${ref.snapshotId} was not captured in time`, {
        hint: 'The next attempt takes a new one; the sweeper removes this one.',
      });
    }
    await clock.sleep(1000);
  }
}
