import { minutes, seconds } from '../../../common/duration.ts';
import { messageOf, NotFound } from '../../../common/errors.ts';
import { type DatabaseId, type Region, timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { candidateRegions } from '../../leadership/candidates.ts';
import { within } from '../../time-limit.ts';
import { BreachRecord } from '../models.ts';
import { act, found, gaveUpAfter, stillWaiting, withGaps } from './breach-step.ts';

const shutOutNeeds = ['coordination:read', 'network-fence:isolate'] as const;
type Context = PortsFor<(typeof shutOutNeeds)[number]> & TaskContext;

/** A Region that hangs must not keep the others open. */
const callLimit = seconds(20);
/** Then the rest goes on: evidence does not wait for a group that cannot be changed. People are told which databases are open. */
const limit = minutes(10);

/**
 * Takes the application's rules out of the groups of every database, in each Region that can lead: a replica gives whoever is in the same data as its primary.
 * Each database by itself, so that one that refuses keeps no other open.
 */
export const shutOutApplication = defineStep({
  name: 'shut-out-application',
  summary: 'Shuts the application out of every database at the network, in each Region that can lead.',
  timeout: minutes(2),
  needs: shutOutNeeds,
  input: BreachRecord,
  async run(record, context) {
    const { operations, clock, coordination } = context;
    const { breachId } = record.request;
    const standing = await coordination.containment();
    // Nobody marked it: the hold could not be put. The network is shut all the same.
    if (standing === undefined && record.failure === undefined) {
      return { ...found(record, 'released', `${breachId} was ended before everything was shut`), releasedBy: 'a person' };
    }
    const wanted = candidateRegions(operations)
      .flatMap((region) => operations.databases.map(({ id }) => ({ region, databaseId: id })))
      .filter((each) => !record.shutOut.some(({ region, databaseId }) => region === each.region && databaseId === each.databaseId));
    const outcomes = await Promise.all(wanted.map(async (each) => ({ ...each, open: await shut(each, record, context) })));
    const closed = outcomes.filter(({ open }) => open === undefined);
    const at = timestamp(clock.now());
    const shutOut = [...record.shutOut, ...closed.map(({ region, databaseId }) => ({ region, databaseId, at }))];
    const next = { ...record, shutOut };
    const open = outcomes.flatMap((each) =>
      each.open === undefined ? [] : [`${each.databaseId} in ${each.region} is NOT shut: ${each.open}`],
    );
    if (open.length === 0) return found(next, 'shut-out', `the application is shut out of ${shutOut.length} databases`);
    return (
      stillWaiting(next, 'shutting-out', open.join('; '), { now: clock.now(), limit }) ??
      found(withGaps(next, open), 'shut-out', `${open.length} databases are still open: ${gaveUpAfter(limit)}`)
    );
  },
});

/** @returns why it is still open; undefined when it is shut */
async function shut(
  { region, databaseId }: { readonly region: Region; readonly databaseId: DatabaseId },
  record: BreachRecord,
  context: Context,
): Promise<string | undefined> {
  const { networkFence, clock } = context;
  try {
    await act(context, record, { action: 'isolate-network', resource: `${region}/${databaseId}` }, () =>
      within(clock, callLimit, networkFence.isolate(databaseId, region)),
    );
    return undefined;
  } catch (error) {
    // After a failover, and until failback, there may be no replica. What leads is never missing.
    if (error instanceof NotFound && region !== context.region) return undefined;
    return messageOf(error).slice(0, 150);
  }
}
