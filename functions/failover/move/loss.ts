import { secondsBetween } from '../../common/duration.ts';
import type { FailoverPolicy } from '../../common/failover-policy.ts';
import type { CoordinationRecord, FailoverPlan, FenceReceipt, LastKnown, LossEstimate, Position, Vote } from '../models.ts';

/** When the last lease of the old primary can have ended. */
export interface LeaseFacts {
  readonly lease: FailoverPolicy['lease'];
  /** Version of the record that the claim replaced; undefined when a later execution takes over and cannot know it. */
  readonly claimedVersion: CoordinationRecord['version'] | undefined;
  /** The claimant's clock at the claim, and how long it then waits. */
  readonly claimedAt: Date;
  readonly fenceWaitSeconds: number;
}

/**
 * The newest position that observers know of each database of the old primary, with the time in which it can still have accepted
 * writes afterwards. At most one per database; none for a database that nobody could read.
 *
 * The end of that time, by one clock where it can be: an observer that has seen the claimed version for `s` seconds at `vote.at` knows that
 * the last renewal came before `vote.at - s`, so the lease ended before `vote.at - s + length`, and `position.at` is of the same clock. An observer
 * of another version cannot tell; then the end of the claimant's wait is the bound, and the margin stands for the difference of two clocks.
 */
export function lastKnownPositions(
  votes: readonly Vote[],
  { from, epoch, primarySince }: Pick<FailoverPlan, 'from' | 'epoch'> & Pick<CoordinationRecord, 'primarySince'>,
  facts: LeaseFacts,
): readonly LastKnown[] {
  const newest = new Map<string, LastKnown>();
  for (const vote of votes) {
    // A position from before its primary was opened is of another that stood there.
    if (vote.about !== from || vote.epoch > epoch || vote.epoch < (primarySince ?? 0)) continue;
    for (const { databaseId, position, at } of vote.positions) {
      const seen = new Date(at);
      const known = {
        ...{ databaseId, position, at },
        ageSeconds: Math.max(0, secondsBetween(seen, facts.claimedAt)),
        openSeconds: Math.max(0, secondsBetween(seen, leaseEnd(vote, facts))),
      };
      const best = newest.get(databaseId);
      if (best === undefined || isNewer(known, best)) newest.set(databaseId, known);
    }
  }
  return [...newest.values()].sort((a, b) => a.databaseId.localeCompare(b.databaseId));
}

function leaseEnd({ at, lease: seen }: Vote, { lease, claimedVersion, claimedAt, fenceWaitSeconds }: LeaseFacts): Date {
  if (seen.version === claimedVersion) return moved(new Date(at), lease.length - seen.unchangedSeconds);
  return moved(claimedAt, fenceWaitSeconds + lease.margin);
}

const moved = (date: Date, seconds: number): Date => new Date(date.getTime() + seconds * 1000);

/** The later position in the database's own history; of one position, the knowledge that leaves less open. */
function isNewer(a: LastKnown, b: LastKnown): boolean {
  const difference = historyOf(a.position) - historyOf(b.position);
  return difference > 0 || (difference === 0 && a.openSeconds < b.openSeconds);
}

/** Transactions begun only rise along one history, and every canary is one. */
const historyOf = ({ transactions }: Position): number => transactions;

/** What the old primary wrote down itself after its last write: nothing can have come later. */
export function closedPositions({ at, databases }: FenceReceipt): readonly LastKnown[] {
  return databases.map(({ databaseId, position }) => ({ databaseId, position, at, ageSeconds: 0, openSeconds: 0 }));
}

/**
 * What is lost if the replica at `replica` becomes the primary.
 *
 * `provenSeconds` compares two canaries, both of the old primary's clock. Where the replica has not all of the last known position, the time from its
 * newest canary to the moment in which that position was read is added as well, because writes between two canaries count too; that
 * compares two clocks, and the greater of the two figures stands. Without a last known position nobody can tell.
 *
 * @example a replica 3 s behind a position that was read 20 s before the lease ended: proven 3 s, at most 23 s
 */
export function estimateLoss(
  { databaseId, lossBudgetSeconds: budgetSeconds }: FailoverPlan['databases'][number],
  replica: Position,
  known: LastKnown | undefined,
): LossEstimate {
  if (known === undefined) return { databaseId, provenSeconds: 0, atMostSeconds: 0, transactions: 0, budgetSeconds };
  const transactions = Math.max(0, known.position.transactions - replica.transactions);
  const facts = { databaseId, transactions, budgetSeconds };
  if (transactions === 0) {
    return { ...facts, provenSeconds: 0, atMostSeconds: known.openSeconds, lastKnownAgeSeconds: known.ageSeconds };
  }
  // It lacks something, and there is no time on it: as good as unknown.
  if (!replica.canary || !known.position.canary) return { ...facts, provenSeconds: 0, atMostSeconds: known.openSeconds };
  const has = new Date(replica.canary.writtenAt);
  const provenSeconds = Math.max(0, secondsBetween(has, new Date(known.position.canary.writtenAt)));
  const untilRead = Math.max(provenSeconds, secondsBetween(has, new Date(known.at)));
  return { ...facts, provenSeconds, atMostSeconds: untilRead + known.openSeconds, lastKnownAgeSeconds: known.ageSeconds };
}

/** Whether it is certain that no more is lost than the budget allows. */
export const isWithinBudget = ({ atMostSeconds, budgetSeconds, lastKnownAgeSeconds }: LossEstimate): boolean =>
  lastKnownAgeSeconds !== undefined && atMostSeconds <= budgetSeconds;
