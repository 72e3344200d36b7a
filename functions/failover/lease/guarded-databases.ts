import { secondsBetween } from '../../common/duration.ts';
import { messageOf } from '../../common/errors.ts';
import type { DatabaseId, Region } from '../../common/ids.ts';
import type { TaskContext } from '../../common/task.ts';
import type { Connections } from '../connections.ts';
import { NEVER_LEASED_UNTIL } from '../fence/lease-objects.ts';
import type { Fence, FenceState } from '../ports.ts';
import { within } from '../time-limit.ts';

/** A database that answered, as a renewal needs it. */
export interface Guarded extends FenceFacts {
  readonly databaseId: DatabaseId;
  readonly fence: Fence;
  /** Its own clock, read last. */
  readonly clockMicros: number;
}

interface FenceFacts {
  readonly isReplica: boolean;
  readonly isInstalled: boolean;
  /** A lease was given to each of its databases at some time: before that a fence that is installed holds nobody back. */
  readonly isLeased: boolean;
  /** Application tables without a fence. */
  readonly unfencedTables: number;
}

/** A good answer is believed for so long: looking through the catalogue every three seconds, by two guardians, is more than it is worth. */
const factsSeconds = 15;

/** What is known of the databases' fences from earlier ticks. */
export type KnownFences = Map<DatabaseId, FenceFacts & { readonly readAt: Date }>;

export interface Examination {
  readonly connections: Connections;
  readonly known: KnownFences;
}

/** Asks every database of a Region at once, each for `observe.timeout` at most. @returns those that answered */
export async function examine({ connections, known }: Examination, at: Region, context: TaskContext): Promise<readonly Guarded[]> {
  const { operations, clock, log } = context;
  const asked = operations.databases.map(async ({ id }): Promise<Guarded[]> => {
    try {
      const answer = connections.to(id, at).then(async (fence) => {
        const facts = await factsOf(fence, id, known, clock.now());
        return { databaseId: id, fence, ...facts, clockMicros: await fence.clock() };
      });
      return [await within(clock, operations.failover.observe.timeout, answer)];
    } catch (error) {
      connections.forget(id, at);
      known.delete(id);
      log.warn('a database does not answer its guardian', { databaseId: id, region: at, error: messageOf(error) });
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}

/**
 * Only a primary whose fence is complete is remembered: what is not yet may become so at any moment, and of two guardians one would take `fenced` back from the
 * record for as long as it believed an old answer.
 */
async function factsOf(fence: Fence, databaseId: DatabaseId, known: KnownFences, now: Date): Promise<FenceFacts> {
  const remembered = known.get(databaseId);
  if (remembered && secondsBetween(remembered.readAt, now) < factsSeconds) return remembered;
  const facts = fenceFactsOf(await fence.state());
  if (!facts.isReplica && isFenced(facts)) known.set(databaseId, { ...facts, readAt: now });
  else known.delete(databaseId);
  return facts;
}

export const fenceFactsOf = ({ isReplica, installed, unfenced, untilMicros }: FenceState): FenceFacts => ({
  isReplica,
  isInstalled: installed,
  isLeased: installed && untilMicros < NEVER_LEASED_UNTIL,
  unfencedTables: unfenced.length,
});

/**
 * Whether no write of an application can pass the lease by. The very first renewal finds a database that has never had a lease and is open for good: a
 * Region that is lost between that record and its first lease would come back open, so the record says `fenced` from the second renewal on.
 */
export const isFenced = ({ isInstalled, isLeased, unfencedTables }: FenceFacts): boolean => isInstalled && isLeased && unfencedTables === 0;
