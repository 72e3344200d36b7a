import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { hours, minutes, secondsBetween } from '../common/duration.ts';
import { messageOf, ServiceUnavailable } from '../common/errors.ts';
import type { Database } from '../common/operations.ts';
import type { PortsFor } from '../common/ports.ts';
import { every } from '../common/schedule.ts';
import { defineTask, type TaskContext } from '../common/task.ts';
import { metricNames } from '../maintenance/metric-names.ts';
import { adoptVerdict } from '../verify/inventory-verdict.ts';
import { type CopyPlan, copiesToStart, copyTargets } from './advance-plan.ts';
import { locationNow } from './backup-database.ts';
import type { Location, RecoveryPoint, Snapshot } from './models.ts';

const advanceNeeds = [
  'databases:describe',
  'databases:copy-snapshot',
  'databases:remove-snapshot',
  'recovery-points:read',
  'recovery-points:write',
  'manifests:read',
  'proofs:read',
  'manifests:write',
] as const;
type Context = PortsFor<(typeof advanceNeeds)[number]> & TaskContext;

/** A snapshot that the service does not know an hour after we asked for it will not come. */
const lostAfter = hours(1);

/**
 * Brings the inventory up to what the database service says, and starts the copies that are due (rows B2, B6). It looks at
 * the world and does what is missing, so it may be interrupted and repeated at any point.
 */
export const advanceRecoveryPoints = defineTask({
  name: 'advance-recovery-points',
  summary: 'Follows snapshots until they are available and copies them to the other Regions under keys that live there.',
  schedule: every(minutes(5)),
  runsIn: 'active',
  catchUp: false,
  timeout: minutes(5),
  needs: advanceNeeds,
  input: z.strictObject({}),
  async run(_, context) {
    const results = [];
    for (const database of context.operations.databases) results.push(await advanceDatabase(database, context));
    return { databases: results };
  },
});

async function advanceDatabase(database: Database, context: Context) {
  const { recoveryPoints, clock, metrics, log } = context;
  await adoptVerdictsFromElsewhere(database, context);
  const refreshed: RecoveryPoint[] = [];
  let copiesFailed = 0;
  for (const point of await recoveryPoints.list(database.id)) {
    const now = await refresh(point, context);
    copiesFailed += now.locations.filter(
      (location, i) => location.role === 'copy' && location.status === 'failed' && point.locations[i]?.status === 'creating',
    ).length;
    refreshed.push(now);
  }
  // Older than the copies' own retention is not worth copying: it would be removed at once.
  const started = [];
  const targets = copyTargets(database.copyTo, context.region, context.operations.regions.primary);
  for (const kind of ['daily', 'six-hourly', 'emergency'] as const) {
    const ofKind = refreshed.filter((point) => point.kind === kind);
    for (const plan of copiesToStart(ofKind, targets, clock.now(), database.retention[kind].copy)) {
      try {
        await startCopy(plan, context);
        started.push(`${plan.to}/${plan.point.id}`);
      } catch (error) {
        copiesFailed++;
        log.error('a copy could not be started', { recoveryPointId: plan.point.id, to: plan.to, error: messageOf(error) });
      }
    }
  }
  const dimensions = { Database: database.id };
  await metrics.put({ capability: 'backup', name: metricNames.backup.copiesFailed, value: copiesFailed, unit: 'Count', dimensions });
  return { databaseId: database.id, started, copiesFailed };
}

/** Enough for every copy to be judged in one night; those before were adopted in earlier passes. */
const newestProofs = 20;

/** Machines in other Regions leave proofs; the inventory is written here only (see `adoptVerdict`). Oldest first. */
async function adoptVerdictsFromElsewhere(database: Database, { proofs, recoveryPoints, region }: Context): Promise<void> {
  const elsewhere = (await proofs.list(database.id, newestProofs)).filter(({ proof }) => proof.region !== region);
  for (const { proof } of elsewhere.reverse()) await adoptVerdict(proof, recoveryPoints);
}

/** The point with each location that was being created as it stands now; written back only when something changed. */
async function refresh(point: RecoveryPoint, context: Context): Promise<RecoveryPoint> {
  const { recoveryPoints, clock } = context;
  let { sizeBytes, engineVersion } = point;
  const locations: Location[] = [];
  for (const location of point.locations) {
    const snapshot = location.status === 'creating' ? await snapshotAt(location, context) : undefined;
    if (snapshot === 'not-told') {
      locations.push(location);
    } else if (snapshot) {
      locations.push(locationNow(location, snapshot, clock.now()));
      // Its size is known only once it is stored.
      if (location.role === 'home' && snapshot.status === 'available') ({ sizeBytes, engineVersion } = snapshot);
    } else {
      const lost = location.status === 'creating' && secondsBetween(new Date(point.requestedAt), clock.now()) > lostAfter;
      locations.push(lost ? { ...location, status: 'failed' } : location);
    }
  }
  const changed = locations.some((location, i) => location.status !== point.locations[i]?.status);
  return changed ? recoveryPoints.update({ ...point, sizeBytes, engineVersion, locations }) : point;
}

/** A Region that is lost must not keep the others' backups waiting: what it does not tell stays as it is and is looked at again. */
async function snapshotAt(location: Location, { databases, region, log }: Context): Promise<Snapshot | undefined | 'not-told'> {
  try {
    return await databases.describeSnapshot(location);
  } catch (error) {
    if (location.region === region) throw error;
    log.warn('a snapshot in another Region cannot be looked at', { ...location, error: messageOf(error) });
    return 'not-told';
  }
}

/** The manifest travels with the copy, so that a verification there needs nothing from the home Region. */
async function startCopy({ point, from, to }: CopyPlan, context: Context): Promise<void> {
  const { databases, manifests, recoveryPoints } = context;
  const manifest = await manifests.get(from.region, point.id);
  if (!manifest) throw new ServiceUnavailable(`the manifest of ${point.id} is not in ${from.region}`);
  const attempts = point.locations.filter((location) => location.region === to).length;
  const ref = { region: to, snapshotId: attempts === 0 ? point.id : `${point.id}-${attempts + 1}` };
  // Read again: this pass may have started another copy of the same point a moment ago.
  const current = (await recoveryPoints.get(point.id)) ?? point;
  const noted = await recoveryPoints.update({
    ...current,
    locations: [...current.locations, { ...ref, role: 'copy', keyId: 'pending', status: 'creating' }],
  });
  await manifests.put(to, point.id, manifest);
  const act = {
    actor: 'task/advance-recovery-points',
    action: 'copy-snapshot',
    resource: `${to}/${ref.snapshotId}`,
    details: { from: from.region },
  };
  const snapshot = await audited(context, act, () => databases.copySnapshot({ region: from.region, snapshotId: from.snapshotId }, ref));
  await recoveryPoints.update({
    ...noted,
    locations: noted.locations.map((location) =>
      location.region === to && location.snapshotId === ref.snapshotId ? { ...location, keyId: snapshot.keyId } : location,
    ),
  });
}
