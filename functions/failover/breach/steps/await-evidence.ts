import { hours, minutes, secondsBetween } from '../../../common/duration.ts';
import { messageOf } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { BreachRecord, type PreservedDatabase } from '../models.ts';
import { act, found, gaveUpAfter, stillWaiting, withGaps } from './breach-step.ts';

const awaitNeeds = ['databases:describe', 'vault:lock'] as const;
type Context = PortsFor<(typeof awaitNeeds)[number]> & TaskContext;

/** Two copies of some terabytes, one after the other. */
const limit = hours(24);
/** The vault tells when a copy was begun by its own clock. */
const clockSkewSeconds = 60;

/**
 * Follows the snapshots, and when one is stored asks for a copy in the locked vault: RDS makes one backup of a database at a time. Whoever is in with an
 * administrator's rights can remove a snapshot, and cannot remove what the vault has locked.
 */
export const awaitEvidence = defineStep({
  name: 'await-evidence',
  summary: 'Waits until the snapshots of a breach are stored, and puts a copy of each database into the locked vault.',
  timeout: minutes(2),
  needs: awaitNeeds,
  input: BreachRecord,
  async run(record, context) {
    const { clock } = context;
    const looked = await Promise.all(record.databases.map((kept) => look(kept, record, context)));
    const next = { ...record, databases: looked.map(({ kept }) => kept) };
    const pending = looked.flatMap(({ kept, because }) => because ?? waitsFor(kept) ?? []);
    const failed = next.databases.flatMap((kept) => failureOf(kept) ?? []);
    if (pending.length === 0)
      return found(withGaps(next, failed), 'stored', `${next.databases.length - failed.length} databases are kept and locked away`);
    return (
      stillWaiting(next, 'storing', pending.join('; '), { now: clock.now(), limit }) ??
      found(
        withGaps(next, [...failed, ...pending.map((what) => `${what}: ${gaveUpAfter(limit)}`)]),
        'stored',
        'not everything could be kept',
      )
    );
  },
});

const waitsFor = ({ databaseId, status, locked }: PreservedDatabase): string | undefined => {
  if (status === 'creating') return `the snapshot of ${databaseId} is being stored`;
  return locked?.status === 'creating' ? `the locked copy of ${databaseId} is being stored` : undefined;
};

const failureOf = ({ databaseId, recoveryPointId, status, locked }: PreservedDatabase): string | undefined => {
  if (status === 'failed') return `the snapshot ${recoveryPointId} failed`;
  if (locked?.status === 'failed') return `the locked copy of ${databaseId} failed`;
  // With `vaultLock.mode` simulate or off there is a copy in the vault, and an administrator's rights are enough to remove it.
  return locked?.status === 'available' && locked.lockedUntil === undefined
    ? `the copy of ${databaseId} in the vault is not locked`
    : undefined;
};

async function look(
  kept: PreservedDatabase,
  record: BreachRecord,
  context: Context,
): Promise<{ readonly kept: PreservedDatabase; readonly because?: string }> {
  try {
    const now = kept.status === 'creating' ? await snapshotNow(kept, context) : kept;
    if (now.status === 'creating') return { kept: now };
    // Without a snapshot the copy is worth the more.
    return { kept: now.locked ? await copyNow(now, record, context) : await lock(now, record, context) };
  } catch (error) {
    return { kept, because: `${kept.databaseId}: ${messageOf(error).slice(0, 150)}` };
  }
}

async function snapshotNow(kept: PreservedDatabase, { databases, region }: Context): Promise<PreservedDatabase> {
  const snapshot = await databases.describeSnapshot({ region, snapshotId: kept.recoveryPointId });
  return { ...kept, status: snapshot?.status ?? 'failed' };
}

async function lock(kept: PreservedDatabase, record: BreachRecord, context: Context): Promise<PreservedDatabase> {
  const { vault, region, clock, operations } = context;
  const { databaseId, recoveryPointId } = kept;
  const details = { mode: operations.vaultLock.mode };
  const requestedAt = timestamp(clock.now());
  await act(context, record, { action: 'lock-copy', resource: `${databaseId}/${recoveryPointId}`, details }, () =>
    vault.lock({ region, databaseId, recoveryPointId }),
  );
  return { ...kept, locked: { requestedAt, status: 'creating' } };
}

/**
 * The oldest copy since the declaration: AWS Backup names a job, and the copy only when it is there. Not since it was asked for: an execution that takes over asks
 * again, and is answered with the job of the first.
 */
async function copyNow(kept: PreservedDatabase, { request }: BreachRecord, { vault, region }: Context): Promise<PreservedDatabase> {
  const { locked, databaseId } = kept;
  if (locked?.status !== 'creating') return kept;
  const since = (createdAt: Date) => secondsBetween(new Date(request.declaredAt), createdAt);
  const [copy] = (await vault.list(region, databaseId))
    .filter(({ createdAt }) => since(createdAt) >= -clockSkewSeconds)
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  if (!copy) return kept;
  const { copyId, status, lockedUntil } = copy;
  return { ...kept, locked: { ...locked, copyId, status, ...(lockedUntil ? { lockedUntil: timestamp(lockedUntil) } : {}) } };
}
