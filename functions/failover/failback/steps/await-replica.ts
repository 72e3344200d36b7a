import { hours, minutes, secondsBetween } from '../../../common/duration.ts';
import { ServiceUnavailable } from '../../../common/errors.ts';
import type { Database } from '../../../common/operations.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep } from '../../../common/task.ts';
import type { CoordinationRecord, Position } from '../../models.ts';
import { whyAstray } from '../../move/followed-primary.ts';
import type { FenceState } from '../../ports.ts';
import { FailbackRecord, type FailbackRequest } from '../models.ts';
import { found, notYet, whyNotLeading } from './failback-step.ts';

/** A replica of some terabytes across Regions. */
const limit = hours(24);

/** A replica streams when it is no further behind than this: the most that a lag alarm of the config lets pass, a minute where there is none. */
const lagLimit = ({ replica }: Database): number => replica?.lagAlarm ?? 60;

const awaitNeeds = ['coordination:read', 'replicas:describe', 'fences:observe'] as const;
type Context = Pick<PortsFor<(typeof awaitNeeds)[number]>, 'replicas' | 'fences'>;

/** Looks whether every new replica is there and has nearly everything that its primary has, by canary. */
export const awaitReplica = defineStep({
  name: 'await-replica',
  summary: 'Looks whether the new replicas stream from their primaries.',
  network: 'production',
  timeout: minutes(2),
  needs: awaitNeeds,
  input: FailbackRecord,
  async run(record, context) {
    const { coordination, operations, clock } = context;
    const disturbed = await whyNotLeading(coordination, record);
    if (disturbed !== undefined) return found(record, 'stopped', disturbed, clock.now());
    const current = await coordination.read();
    const looks = await Promise.all(operations.databases.map((database) => lookAt(database, record.request, current, context)));
    const failed = looks.flatMap((look) => (look?.failed ? [look.says] : []));
    if (failed.length > 0) return found(record, 'stopped', failed.join('; '), clock.now());
    const waitingFor = looks.flatMap((look) => (look ? [look.says] : []));
    if (waitingFor.length > 0) return notYet(record, 'rebuilding', waitingFor.join('; '), { now: clock.now(), limit });
    return found(record, 'streaming', `every replica in ${record.request.oldRegion} streams`, clock.now());
  },
});

/** Why it does not stream; undefined when it does. */
async function lookAt(
  database: Database,
  { oldRegion, leader }: FailbackRequest,
  current: CoordinationRecord | undefined,
  { replicas, fences }: Context,
): Promise<{ readonly says: string; readonly failed: boolean } | undefined> {
  const name = `${database.id} in ${oldRegion}`;
  try {
    const state = await replicas.describe(database.id, oldRegion);
    if (state.status === 'failed') return { says: `${name}: ${state.says}`, failed: true };
    if (state.role !== 'replica' || state.status !== 'available') return { says: `${name}: ${state.says}`, failed: false };
    const read = async (region: typeof leader): Promise<{ readonly position: Position; readonly state: FenceState }> => {
      const fence = await fences.open(database.id, region);
      try {
        return { position: await fence.position(), state: await fence.state() };
      } finally {
        await fence.end();
      }
    };
    // The replica first: what it has by then, the primary had.
    const [{ position: replica, state: fence }, { position: primary }] = [await read(oldRegion), await read(leader)];
    // Canaries of another primary can be newer: they would look like no lag at all.
    const astray = current && whyAstray(fence, current);
    if (astray !== undefined) return { says: `${name} ${astray}`, failed: false };
    if (!replica.canary || !primary.canary) return { says: `${name} shows no canary yet`, failed: false };
    const lag = secondsBetween(new Date(replica.canary.writtenAt), new Date(primary.canary.writtenAt));
    return lag <= lagLimit(database) ? undefined : { says: `${name} is ${Math.round(lag)} s behind`, failed: false };
  } catch (error) {
    if (error instanceof ServiceUnavailable) return { says: `${name}: ${error.message}`, failed: false };
    throw error;
  }
}
