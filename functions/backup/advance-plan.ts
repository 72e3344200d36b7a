import type { Region } from '../common/ids.ts';
import { isVerified, type Location, type RecoveryPoint } from './models.ts';

/** RDS copies at most 20 snapshots into one Region at a time (quota "Cross-region snapshot copies per destination"). */
export const copiesPerDestination = 20;

/** A copy that failed this often is left to people: each failure has raised the alarm already. */
const attemptsPerCopy = 5;

export interface CopyPlan {
  readonly point: RecoveryPoint;
  readonly from: Location;
  readonly to: Region;
}

/**
 * Regions that backups are copied to while `active` leads. One that is itself a destination of copies has none of its own left to go to when it
 * takes the lead: the configured primary takes its place.
 */
export const copyTargets = (copyTo: readonly Region[], active: Region, primary: Region): readonly Region[] =>
  copyTo.includes(active) && !copyTo.includes(primary) ? [...copyTo, primary] : copyTo;

/**
 * Which copies to start now: every point whose home snapshot is available, whose manifest is known, and that lacks a copy in a Region of
 * `copyTo`. Newest first, because the newest is worth most when a Region dies; no more than fit under the service's limit.
 * What was refused is not copied, the point or its home snapshot alone: it would only spread damage.
 */
export function copiesToStart(
  points: readonly RecoveryPoint[],
  copyTo: readonly Region[],
  now: Date,
  maxAgeSeconds: number,
): readonly CopyPlan[] {
  const newestFirst = [...points].sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  return copyTo.flatMap((to) => {
    const copying = points.filter((point) =>
      point.locations.some((location) => location.region === to && location.status === 'creating'),
    ).length;
    return newestFirst
      .flatMap((point) => {
        const from = point.locations.find(
          ({ role, status, verdict }) => role === 'home' && status === 'available' && verdict?.outcome !== 'refused',
        );
        const tooOld = (now.getTime() - Date.parse(point.requestedAt)) / 1000 > maxAgeSeconds;
        const refused = point.verification !== undefined && !isVerified(point);
        const there = point.locations.filter((location) => location.region === to);
        const known = there.some((location) => location.status !== 'failed') || there.length >= attemptsPerCopy;
        return from && from.region !== to && point.manifestSha256 && !refused && !known && !tooOld ? [{ point, from, to }] : [];
      })
      .slice(0, Math.max(0, copiesPerDestination - copying));
  });
}
