import { emergencySnapshot } from '../../../backup/emergency-snapshot.ts';
import { recoveryPointId } from '../../../backup/models.ts';
import { hours, minutes } from '../../../common/duration.ts';
import { messageOf } from '../../../common/errors.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { BreachRecord, type PreservedDatabase } from '../models.ts';
import { act, found, gaveUpAfter, stillWaiting, withGaps } from './breach-step.ts';

const beginNeeds = [
  'coordination:read',
  'databases:snapshot',
  'databases:describe',
  'recovery-points:read',
  'recovery-points:write',
] as const;
type Context = PortsFor<(typeof beginNeeds)[number]> & TaskContext;

/** RDS refuses a snapshot while it takes another one, and a first one of some terabytes lasts. */
const limit = hours(4);

/** Asks for a snapshot of each database of the Region that leads, as it is now: before anything is mended. */
export const beginEvidence = defineStep({
  name: 'begin-evidence',
  summary: 'Takes an emergency snapshot of each database as the breach left it.',
  timeout: minutes(2),
  needs: beginNeeds,
  input: BreachRecord,
  async run(record, context) {
    const { operations, coordination, clock, region } = context;
    const current = await coordination.read();
    // What it shuts out lies in both Regions, but what it keeps is of one: where the writes went.
    const elsewhere = current?.holder === region ? [] : [`${current?.holder ?? 'nobody'} leads now: the snapshots are of ${region}`];
    const asked = await Promise.all(
      operations.databases.map(async ({ id: databaseId }): Promise<{ readonly kept: PreservedDatabase; readonly because?: string }> => {
        const known = record.databases.find((each) => each.databaseId === databaseId);
        if (known && known.status !== 'wanted') return { kept: known };
        return ask(databaseId, record, context);
      }),
    );
    const next = withGaps({ ...record, databases: asked.map(({ kept }) => kept) }, elsewhere);
    const missing = asked.flatMap(({ kept, because }) => (because === undefined ? [] : [`no snapshot of ${kept.databaseId}: ${because}`]));
    if (missing.length === 0) return found(next, 'begun', `${asked.length} snapshots are being taken`);
    return (
      stillWaiting(next, 'beginning', missing.join('; '), { now: clock.now(), limit }) ??
      found(withGaps(next, missing), 'begun', `${missing.length} snapshots could not be taken: ${gaveUpAfter(limit)}`)
    );
  },
});

async function ask(
  databaseId: PreservedDatabase['databaseId'],
  record: BreachRecord,
  context: Context,
): Promise<{ readonly kept: PreservedDatabase; readonly because?: string }> {
  const { region } = context;
  const requestedAt = new Date(record.request.declaredAt);
  try {
    const { id, status } = await emergencySnapshot(context, { databaseId, region, requestedAt }, (snapshotId, take) =>
      act(context, record, { action: 'create-snapshot', resource: `${region}/${snapshotId}`, details: { kind: 'emergency' } }, take),
    );
    return { kept: { databaseId, recoveryPointId: id, status } };
  } catch (error) {
    const id = recoveryPointId(databaseId, 'emergency', requestedAt);
    return { kept: { databaseId, recoveryPointId: id, status: 'wanted' }, because: messageOf(error).slice(0, 150) };
  }
}
