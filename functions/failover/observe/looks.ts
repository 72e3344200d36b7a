import type { Clock } from '../../common/clock.ts';
import { messageOf } from '../../common/errors.ts';
import { type DatabaseId, type Region, timestamp } from '../../common/ids.ts';
import { regionProbeAddresses } from '../../common/names.ts';
import type { Operations } from '../../common/operations.ts';
import type { Connections } from '../connections.ts';
import type { Probes } from '../ports.ts';
import { within } from '../time-limit.ts';
import type { Look } from './watch.ts';

/** Evidence of an observer that was never meant to see the databases. */
export const noWayToLook = 'no network to the database from here';

type Probed = Look['probes'][number];

/** What an observer looks with. */
export interface Eyes {
  readonly operations: Operations;
  /** Where the observer is. */
  readonly region: Region;
  readonly clock: Clock;
  readonly probes: Probes;
  readonly connections: Connections;
}

/** Looks at everything of the leading Region at once, each for `observe.timeout` at most. Never throws: not answering is an answer. */
export async function look(eyes: Eyes, at: Region): Promise<Look> {
  const { services } = eyes.operations.failover;
  const addresses = services.flatMap(({ name, health }) =>
    health[at] === undefined ? [] : [{ subject: `service/${name}`, url: health[at] }],
  );
  const [region, databases, ...others] = await Promise.all([
    lookAtRegion(eyes, at),
    Promise.all(eyes.operations.databases.map(({ id }) => lookAtDatabase(eyes, id, at))),
    ...addresses.map(async ({ subject, url }): Promise<Probed> => ({ subject, ...(await ask(eyes, url)) })),
  ]);
  return {
    probes: [region, ...databases.map(({ probe }) => probe), ...others],
    positions: databases.flatMap(({ position }) => position ?? []),
  };
}

/** Reachable while any of its addresses answers. */
async function lookAtRegion(eyes: Eyes, at: Region): Promise<Probed> {
  const answers = await Promise.all(regionProbeAddresses(at).map((url) => ask(eyes, url)));
  const well = answers.find(({ ok }) => ok);
  const says = [...new Set(answers.map((answer) => answer.says))].join(' and ');
  return { subject: 'region', ...(well ?? { ok: false, says }) };
}

async function ask({ probes, clock, operations }: Eyes, url: string): Promise<{ readonly ok: boolean; readonly says: string }> {
  const { timeout } = operations.failover.observe;
  try {
    return await within(clock, timeout, probes.http(url, timeout));
  } catch (error) {
    return { ok: false, says: messageOf(error) };
  }
}

type DatabaseLook = { readonly probe: Probed; readonly position?: Look['positions'][number] };

async function lookAtDatabase(eyes: Eyes, databaseId: DatabaseId, at: Region): Promise<DatabaseLook> {
  const { operations, region, clock, connections } = eyes;
  const subject = `database/${databaseId}`;
  const site = operations.databases.find(({ id }) => id === databaseId)?.sites[region];
  if (site === undefined) return { probe: { subject, ok: undefined, says: noWayToLook } };
  const began = clock.now();
  try {
    const asked = connections.to(databaseId, at).then((fence) => fence.position());
    const position = await within(clock, operations.failover.observe.timeout, asked);
    const milliseconds = clock.now().getTime() - began.getTime();
    // As of its beginning: what was committed while the answer travelled may be missing from it.
    return {
      probe: { subject, ok: true, says: `answered in ${milliseconds} ms` },
      position: { databaseId, position, at: timestamp(began) },
    };
  } catch (error) {
    // A connection that failed or hangs is given up: the next look makes a new one.
    connections.forget(databaseId, at);
    return { probe: { subject, ok: false, says: messageOf(error) } };
  }
}
