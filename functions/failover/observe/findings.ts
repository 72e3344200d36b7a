import { secondsBetween } from '../../common/duration.ts';
import type { FailoverPolicy } from '../../common/failover-policy.ts';
import { timestamp } from '../../common/ids.ts';
import type { Finding } from '../models.ts';

/** What one look said. `undefined`: there is no way to look from here. */
export interface ProbeResult {
  readonly ok: boolean | undefined;
  readonly says: string;
}

/**
 * The finding after one more probe. A healthy subject turns after `failuresToTrip` failures in a row, an unhealthy one after `successesToClear`
 * successes in a row; `since` is the moment of the turn.
 *
 * A subject that this observer has never seen healthy stays `unknown` however often it fails: a wrong address, a missing route or a
 * forgotten peering must not look like an outage.
 *
 * @param previous undefined when nothing is known of the subject
 */
export function nextFinding(
  subject: string,
  previous: Finding | undefined,
  { ok, says }: ProbeResult,
  { failuresToTrip, successesToClear }: Pick<FailoverPolicy['observe'], 'failuresToTrip' | 'successesToClear'>,
  now: Date,
): Finding {
  const evidence = says.slice(0, 200);
  const turned = (status: Finding['status']): Finding => ({ subject, status, since: timestamp(now), contrary: 0, says: evidence });
  if (ok === undefined) return previous?.status === 'unknown' ? { ...previous, says: evidence } : turned('unknown');
  if (previous === undefined || previous.status === 'unknown') {
    return ok ? turned('healthy') : { ...(previous ?? turned('unknown')), says: evidence };
  }
  if (ok === (previous.status === 'healthy')) return { ...previous, contrary: 0, says: evidence };
  const contrary = previous.contrary + 1;
  if (contrary < (ok ? successesToClear : failuresToTrip)) return { ...previous, contrary, says: evidence };
  return turned(ok ? 'healthy' : 'unhealthy');
}

/**
 * What is left of findings that were written down a while ago, by an earlier run or before a pause. After a pause longer than a vote
 * counts for, nobody can say that the trouble lasted all the time: it stays, and counts from now.
 */
export function resumedFindings(
  findings: readonly Finding[],
  writtenAt: Date,
  { voteMaxAge }: Pick<FailoverPolicy['observe'], 'voteMaxAge'>,
  now: Date,
): readonly Finding[] {
  if (secondsBetween(writtenAt, now) <= voteMaxAge) return findings;
  return findings.map((finding) => ({
    ...finding,
    contrary: 0,
    ...(finding.status === 'unhealthy' ? { since: timestamp(now) } : {}),
  }));
}
