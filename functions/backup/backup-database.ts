import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { minutes } from '../common/duration.ts';
import { CodeblueError, Conflict, NotFound, ServiceUnavailable } from '../common/errors.ts';
import { DatabaseId, type RecoveryPointId, timestamp } from '../common/ids.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import type { PortsFor } from '../common/ports.ts';
import { defineTask, type TaskContext } from '../common/task.ts';
import { encodeManifest } from '../verify/manifest.ts';
import { openManifest } from '../verify/open-manifest.ts';
import { sha256Hex } from '../verify/proof.ts';
import { BackupKind, type Location, type RecoveryPoint, recoveryPointId, type Snapshot } from './models.ts';
import type { Databases, RecoveryPoints, SnapshotRef } from './ports.ts';

/** Time kept free at the end of a run for storing the manifest and the inventory line. */
const wrapUpMilliseconds = 30_000;

/** Each attempt may leave a snapshot until the sweeper comes, and an account holds 100: stop early, the alarm has rung. */
const attemptsPerPoint = 3;

/** A recovery point whose every attempt failed. */
class GaveUp extends CodeblueError {
  override readonly name = 'GaveUp';
  readonly retryable = false;
}

const backupNeeds = [
  'databases:describe',
  'databases:snapshot',
  'recovery-points:read',
  'recovery-points:write',
  'manifests:read',
  'manifests:write',
  'sql-servers:live',
] as const;
type Context = PortsFor<(typeof backupNeeds)[number]> & TaskContext;

/**
 * Takes one recovery point with its manifest (rows B1, B7). The manifest is opened before the snapshot and completed after
 * it, so that both bracket the instant the snapshot shows; ADR 3 has the argument.
 *
 * A run that crashed left a snapshot, and perhaps its manifest. With the manifest the next run completes it. Without one the
 * snapshot is still a backup, so it is given up only once a later attempt under the same recovery point has both.
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
  needs: backupNeeds,
  input: z.strictObject({ databaseId: DatabaseId, kind: BackupKind }),
  async run({ databaseId, kind }, context) {
    const { recoveryPoints, manifests, databases, region, scheduledAt } = context;
    const id = recoveryPointId(databaseId, kind, scheduledAt);
    const begun =
      (await recoveryPoints.get(id)) ?? (await firstLine({ id, databaseId, kind, requestedAt: timestamp(scheduledAt) }, recoveryPoints));
    if (begun.manifestSha256) return { recoveryPointId: id, taken: false };

    // Manifests are immutable and one per point: where one is stored, the run that stored it died before it wrote that down.
    const last = begun.locations.at(-1);
    const stored = last && (await manifests.get(region, id));
    if (stored) {
      const snapshot = await databases.describeSnapshot({ region, snapshotId: last.snapshotId });
      if (!snapshot?.captured) throw new GaveUp(`the snapshot ${last.snapshotId} that belongs to the manifest of ${id} is gone`, lookHint);
      await complete({ id, snapshot, manifest: stored }, context);
      return { recoveryPointId: id, taken: true };
    }

    if (begun.locations.length >= attemptsPerPoint) throw new GaveUp(`recovery point ${id} failed ${attemptsPerPoint} times`, lookHint);
    // Written down before it exists: whatever happens next, the inventory knows the snapshot.
    const snapshotId = last === undefined ? id : `${id}-${begun.locations.length + 1}`;
    const attempt: Location = { region, role: 'home', snapshotId, keyId: 'pending', status: 'creating' };
    await recoveryPoints.update({ ...begun, locations: [...begun.locations, attempt] });
    await complete({ id, ...(await take(begun, { region, snapshotId }, context)) }, context);
    return { recoveryPointId: id, taken: true };
  },
});

const lookHint = { hint: 'Look at the failed runs in the audit log, then run `codeblue backup now`.' };

async function firstLine(
  point: Pick<RecoveryPoint, 'id' | 'databaseId' | 'kind' | 'requestedAt'>,
  recoveryPoints: RecoveryPoints,
): Promise<RecoveryPoint> {
  const line = { ...point, locations: [], version: 0 };
  await recoveryPoints.add(line);
  return line;
}

interface Taken {
  readonly snapshot: Snapshot;
  readonly manifest: Uint8Array;
}

/** The snapshot, captured, and its manifest, stored. */
async function take({ id, databaseId, kind }: RecoveryPoint, ref: SnapshotRef, context: Context): Promise<Taken> {
  const { operations, databases, manifests, sqlServers, region, clock, deadline } = context;
  const server = await sqlServers.live(databaseId, region);
  const open = await openManifest(server, {
    databaseId,
    recoveryPointId: id,
    databaseNames: databaseOf(operations, databaseId).databaseNames,
    deadline: new Date(deadline.getTime() - wrapUpMilliseconds),
    clock,
  });
  try {
    const act = {
      actor: 'task/backup-database',
      action: 'create-snapshot',
      resource: `${ref.region}/${ref.snapshotId}`,
      details: { kind },
    };
    await audited(context, act, () => databases.createSnapshot({ ...ref, databaseId, kind }));
    const snapshot = await captured(databases, ref, context);
    const manifest = encodeManifest(await open.complete());
    await manifests.put(region, id, manifest);
    return { snapshot, manifest };
  } catch (error) {
    await open.abandon();
    throw error;
  }
}

/**
 * Writes down what was taken. `advance-recovery-points` follows the same snapshot and may change the line in between, so a lost race
 * reads it again. Earlier attempts are given up here and not before: a snapshot without a manifest is still a backup.
 *
 * @throws Conflict when the line keeps changing, or another run completed it with another manifest
 */
async function complete({ id, snapshot, manifest }: Taken & { readonly id: RecoveryPointId }, context: Context): Promise<void> {
  const { recoveryPoints, region, clock, log } = context;
  const manifestSha256 = sha256Hex(manifest);
  const { engineVersion, sizeBytes, snapshotId } = snapshot;
  for (let tries = 1; ; tries++) {
    const point = await recoveryPoints.get(id);
    if (!point) throw new NotFound(`recovery point ${id} is not in the inventory any more`);
    if (point.manifestSha256 === manifestSha256) return;
    if (point.manifestSha256) throw new Conflict(`another run completed recovery point ${id}`);
    const locations = point.locations.map((location) => {
      if (location.region !== region || location.role !== 'home') return location;
      return location.snapshotId === snapshotId ? locationNow(location, snapshot, clock.now()) : givenUp(location);
    });
    try {
      await recoveryPoints.update({ ...point, manifestSha256, engineVersion, sizeBytes, locations });
      log.info('recovery point taken', { recoveryPointId: id, manifestBytes: manifest.length });
      return;
    } catch (error) {
      if (!(error instanceof Conflict) || tries === 5) throw error;
    }
  }
}

/** An earlier attempt's snapshot, now superseded: the sweeper removes what only a failed location names. */
const givenUp = (location: Location): Location => ({ ...location, status: 'failed' });

/** A location as its snapshot now stands. What was seen available stays so: an answer can be older than the line. */
export function locationNow(location: Location, snapshot: Snapshot, now: Date): Location {
  if (location.status === 'available' && snapshot.status === 'creating') return location;
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
