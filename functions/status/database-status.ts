import { logFreshness } from '../backup/check-log-freshness.ts';
import { isVerified, type LiveDatabase, type RecoveryPoint } from '../backup/models.ts';
import { formatSeconds, secondsBetween } from '../common/duration.ts';
import type { Database, Operations } from '../common/operations.ts';
import type { SignedProof } from '../verify/proof.ts';
import { enoughForTrend, type Forecast, forecastRestore, type RestoreTrend, restoreSamples, restoreTrend } from '../verify/trend.ts';

/** What is read about one database; a source that did not answer says why. */
export interface DatabaseFacts {
  readonly database: Database;
  readonly points: readonly RecoveryPoint[];
  /** Newest first. */
  readonly proofs: readonly SignedProof[];
  readonly live: LiveDatabase | { readonly unknownBecause: string };
}

export interface PointStatus {
  readonly id: string;
  readonly requestedAt: string;
  readonly ageSeconds: number;
  readonly verification: 'verified' | 'refused' | 'pending';
}

/** One database as `codeblue status` shows it. */
export interface DatabaseStatus {
  readonly databaseId: string;
  /** What is not as the config promises, most urgent first; empty when all is well. */
  readonly problems: readonly string[];
  /** The newest point that could be restored now. */
  readonly newest?: PointStatus;
  readonly newestVerified?: PointStatus;
  readonly maxVerifiedAgeSeconds: number;
  readonly log: { readonly enabled: boolean; readonly ageSeconds?: number };
  readonly restore: { readonly objectiveSeconds: number; readonly trend?: RestoreTrend; readonly forecast?: Forecast };
  /** `measuredSeconds` is of the newest verification that measured it. */
  readonly loss: { readonly objectiveSeconds: number; readonly measuredSeconds?: number; readonly samples: number };
}

const isRestorable = (point: RecoveryPoint) => point.locations.some((location) => location.status === 'available');

function pointStatus(point: RecoveryPoint, now: Date): PointStatus {
  const { id, requestedAt, verification } = point;
  return {
    id,
    requestedAt,
    ageSeconds: Math.max(0, secondsBetween(new Date(requestedAt), now)),
    verification: verification?.outcome ?? 'pending',
  };
}

/** Judges the facts of one database against its config. Pure. */
export function databaseStatus(facts: DatabaseFacts, verification: Operations['verification'], now: Date): DatabaseStatus {
  const { database, proofs, live } = facts;
  const newestFirst = [...facts.points].filter(isRestorable).sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  const [newest] = newestFirst;
  const newestVerified = newestFirst.find(isVerified);
  const samples = restoreSamples(proofs);
  const losses = proofs.flatMap(({ proof }) => proof.measured.lossSeconds ?? []);
  const freshness = 'unknownBecause' in live ? undefined : logFreshness(database, live, now);
  const status = {
    databaseId: database.id,
    newest: newest && pointStatus(newest, now),
    newestVerified: newestVerified && pointStatus(newestVerified, now),
    maxVerifiedAgeSeconds: verification.maxAge,
    log: { enabled: database.pointInTime.enabled, ageSeconds: freshness?.ageSeconds },
    restore: {
      objectiveSeconds: database.objectives.rto,
      trend: restoreTrend(samples, database.objectives.rto, now),
      // Sizes of backups, as in the samples: a live database's is measured otherwise.
      forecast: forecastRestore(samples, newest?.sizeBytes),
    },
    loss: { objectiveSeconds: database.objectives.rpo, measuredSeconds: losses[0], samples: losses.length },
  };
  return { ...status, problems: problemsOf(status, facts, freshness?.findings ?? []) };
}

function problemsOf(
  status: Omit<DatabaseStatus, 'problems'>,
  { database, points, live }: DatabaseFacts,
  logFindings: readonly string[],
): string[] {
  const { newest, newestVerified, maxVerifiedAgeSeconds, restore, loss } = status;
  const problems: string[] = [];
  if (!newest) problems.push('there is no backup that could be restored');
  else if (!newestVerified) problems.push('no backup has been verified yet');
  else if (newestVerified.ageSeconds > maxVerifiedAgeSeconds) {
    problems.push(
      `the newest verified backup is ${formatSeconds(newestVerified.ageSeconds)} old, at most ${formatSeconds(maxVerifiedAgeSeconds)} is allowed`,
    );
  }
  if (newest?.verification === 'refused') problems.push(`the newest backup, ${newest.id}, was refused: it is not what it should be`);
  if ('unknownBecause' in live) problems.push(`the live database could not be asked: ${live.unknownBecause}`);
  if (database.pointInTime.enabled) problems.push(...logFindings);
  const { trend } = restore;
  if (trend && trend.latestSeconds > restore.objectiveSeconds) {
    problems.push(
      `the last restore took ${formatSeconds(trend.latestSeconds)}, the objective is ${formatSeconds(restore.objectiveSeconds)}`,
    );
  }
  if (
    trend?.daysUntilObjective !== undefined &&
    trend.samples >= enoughForTrend &&
    trend.daysUntilObjective > 0 &&
    trend.daysUntilObjective < 30
  ) {
    problems.push(
      `restores get slower: by their trend they miss the objective in ${Math.round(trend.daysUntilObjective)} d (${trend.samples} restores)`,
    );
  }
  if (loss.measuredSeconds !== undefined && loss.measuredSeconds > loss.objectiveSeconds) {
    problems.push(
      `the last verification measured ${formatSeconds(loss.measuredSeconds)} of lost data, the objective is ${formatSeconds(loss.objectiveSeconds)}`,
    );
  }
  const lacking = points.filter(lacksACopy).length;
  if (lacking > 0) {
    const what = lacking === 1 ? 'the copy of 1 backup' : `the copies of ${lacking} backups`;
    problems.push(`${what} failed, and nothing took their place; see codeblue backup list --database ${database.id} --all`);
  }
  return problems;
}

/** A failed copy in a Region that holds no other of the same backup. */
const lacksACopy = ({ locations }: RecoveryPoint): boolean =>
  locations.some(
    ({ role, region, status }) =>
      role === 'copy' &&
      status === 'failed' &&
      !locations.some((other) => other.region === region && (other.status === 'available' || other.status === 'creating')),
  );
