import { minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { NotYetPrimary } from '../../errors.ts';
import { FailoverRecord } from '../../models.ts';
import { enterPhase } from '../../report/phases.ts';
import { readBeginning, writeBeginning } from '../beginning.ts';
import { act, found, freshStanding, pastItsEpoch } from './failover-step.ts';

/**
 * Notes which transactions the new primary has, before its first write: failback finds by it what only the old one had. It is a step of its own, and stored
 * before anything is opened, because after the first write it could not be found out any more. What was stored first stays.
 */
export const noteBeginning = defineStep({
  name: 'note-beginning',
  summary: 'Notes which transactions the new primary has before its first write.',
  network: 'production',
  timeout: minutes(1),
  needs: ['coordination:read', 'fences:observe', 'reports:read', 'reports:write'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, reports, clock } = context;
    const { plan } = record;
    const standing = await freshStanding(coordination, record);
    if (standing !== 'promoting' && standing !== 'leads') return pastItsEpoch(record, standing);
    const stored = await readBeginning(reports, plan);
    const noted = (snapshots: FailoverRecord['snapshots'], says: string) => ({
      ...enterPhase(found(record, 'noted', says), 'open', clock.now()),
      snapshots,
    });
    if (stored) return noted(stored.snapshots, `noted at ${stored.at} already`);
    if (standing === 'leads') return noted([], 'it is open already, and nobody noted where it began');
    const snapshots = await snapshotsOf(record, context);
    const at = timestamp(clock.now());
    await act(context, record, { action: 'note-beginning', resource: `epoch/${plan.epoch}` }, () =>
      writeBeginning(reports, plan, { at, snapshots }),
    );
    return noted(snapshots, `noted where the new history begins in ${snapshots.length} databases`);
  },
});

/** @throws NotYetPrimary while a database is a replica, or open by a lease that is not of this epoch */
async function snapshotsOf(
  { plan }: FailoverRecord,
  { fences }: Pick<Ports, 'fences'> & TaskContext,
): Promise<FailoverRecord['snapshots']> {
  const each = plan.databases.map(async ({ databaseId }) => {
    const fence = await fences.open(databaseId, plan.to);
    try {
      const { isReplica, snapshots, open, epoch, replacedIn } = await fence.state();
      if (isReplica) throw new NotYetPrimary(`${databaseId} in ${plan.to} still says that it is a replica`);
      if (replacedIn === plan.epoch)
        throw new NotYetPrimary(`the name of ${databaseId} in ${plan.to} still leads to the database that was replaced`);
      // A lease that came by replication, of a server whose clock is behind: what is written under it would look as if it had arrived.
      const inherits = open && epoch > 0 && epoch < plan.epoch;
      if (inherits) throw new NotYetPrimary(`${databaseId} in ${plan.to} still holds a lease of epoch ${epoch}`);
      return Object.entries(snapshots).map(([databaseName, snapshot]) => ({ databaseId, databaseName, snapshot }));
    } finally {
      await fence.end();
    }
  });
  return (await Promise.all(each)).flat();
}
