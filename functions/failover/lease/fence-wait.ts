import type { FailoverPolicy } from '../../common/failover-policy.ts';
import type { CoordinationRecord, Vote } from '../models.ts';

/**
 * Seconds to wait, from the moment that a claim is durable, until no lease of the old holder can still be running.
 *
 * A lease ends `length` after a clock reading that came before its renewal of the record. The claim succeeds only over the version that the
 * claimant read; so an observer that has seen that version for `s` seconds tells that the newest lease is `s` seconds old at least, by
 * one clock alone. What remains is `length + margin - s`. Its vote may be of any age: what it saw stays true while the version is the same,
 * and nothing is added for its age, because that would compare two clocks. A vote about another version tells nothing.
 *
 * With `length` 20 s and `margin` 5 s: nobody watching, 25 s; seen unchanged for 18 s, 7 s; for 25 s and more, none.
 *
 * @param claimed the record as it was read BEFORE the claim, whose version the claim replaced
 */
export function fenceWaitSeconds(
  { length, margin }: FailoverPolicy['lease'],
  claimed: Pick<CoordinationRecord, 'version'>,
  votes: readonly Vote[],
): number {
  const seen = votes.filter((vote) => vote.lease.version === claimed.version).map((vote) => vote.lease.unchangedSeconds);
  return Math.max(0, length + margin - Math.max(0, ...seen));
}
