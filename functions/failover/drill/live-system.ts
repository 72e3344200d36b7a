import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import type { DatabaseId, Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import type { CoordinationRecord, Hold, Position, Vote } from '../models.ts';
import { countingVotes } from '../observe/majority.ts';

/** What a drill looks at while it runs. */
export interface LiveSystem {
  readonly operations: Pick<Operations, 'regions' | 'databases' | 'failover'>;
  readonly record: CoordinationRecord | undefined;
  readonly votes: readonly Vote[];
  readonly hold: Hold | undefined;
  /** Of the real replicas that a failover would promote; undefined for one that does not answer. Left out where no replica is expected. */
  readonly replicas?: ReadonlyMap<DatabaseId, Position | undefined>;
  readonly now: Date;
}

/**
 * Why the live system is not well enough for a drill; undefined while it is. One observer that sees trouble is enough: unlike a failover, a drill
 * loses nothing by stopping too early.
 */
export function whyNotWell(system: LiveSystem, expected: { readonly leader: Region; readonly epoch: number }): string | undefined {
  const { operations, record, hold, now } = system;
  if (record?.phase !== 'active' || record.holder !== expected.leader || record.epoch !== expected.epoch) {
    return `${expected.leader} does not lead undisturbed in epoch ${expected.epoch} any more`;
  }
  if (hold !== undefined && Date.parse(hold.until) > now.getTime()) return `${hold.by} holds everything until ${hold.until}`;
  const votes = countingVotes(system.votes, record, operations.failover.observe, regionsOf(operations), now);
  if (votes.length === 0) return 'no observer has been heard of lately';
  return unhealthySubject(votes, operations) ?? lagging(system, votes);
}

function unhealthySubject(votes: readonly Vote[], { failover }: LiveSystem['operations']): string | undefined {
  const critical = new Set(failover.services.filter((service) => service.critical).map(({ name }) => `service/${name}`));
  for (const { observer, findings } of votes) {
    const bad = findings.find(
      ({ subject, status }) => status === 'unhealthy' && (subject === 'region' || subject.startsWith('database/') || critical.has(subject)),
    );
    if (bad) return `the observer in ${observer} finds ${bad.subject} unhealthy: ${bad.says}`;
  }
  return undefined;
}

function lagging({ operations, replicas }: LiveSystem, votes: readonly Vote[]): string | undefined {
  if (replicas === undefined) return undefined;
  for (const { id, replica } of operations.databases) {
    const position = replicas.get(id);
    if (position === undefined) return `the replica of ${id} does not answer`;
    const live = newestPosition(votes, id);
    if (!live?.canary || !position.canary || replica?.lagAlarm === undefined) continue;
    const lag = secondsBetween(new Date(position.canary.writtenAt), new Date(live.canary.writtenAt));
    if (lag > replica.lagAlarm) {
      return `the replica of ${id} is ${formatSeconds(lag)} behind, its alarm is at ${formatSeconds(replica.lagAlarm)}`;
    }
  }
  return undefined;
}

/** What the observers know last of a live database: those near it read it every few seconds. */
const newestPosition = (votes: readonly Vote[], databaseId: DatabaseId): Position | undefined => newestSeen(votes, databaseId)?.position;

export function newestSeen(votes: readonly Vote[], databaseId: DatabaseId): Vote['positions'][number] | undefined {
  return votes
    .flatMap(({ positions }) => positions.filter((each) => each.databaseId === databaseId && each.position.canary !== undefined))
    .sort((a, b) => (b.position.canary?.seq ?? 0) - (a.position.canary?.seq ?? 0))[0];
}
