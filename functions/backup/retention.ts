import type { Operations } from '../common/operations.ts';
import { isVerified, type Location, type RecoveryPoint } from './models.ts';

type RetentionPolicy = Operations['databases'][number]['retention'];

export interface Expiry {
  readonly point: RecoveryPoint;
  readonly location: Location;
}

/**
 * Locations past their retention, oldest request first, so that stopping anywhere leaves the newest.
 *
 * Never among them:
 * - any location of the newest verified point, whatever its age: with daily kept 30 days, a verified point of day 90
 *   outlives the unverified ones of day 60 (row B3);
 * - any location of the newest point that holds an available snapshot: it may be the only one that the next verification finds;
 * - what is locked, being created, or already gone.
 *
 * @param points all recovery points of ONE database, in any order
 */
export function locationsToExpire(points: readonly RecoveryPoint[], policy: RetentionPolicy, now: Date): readonly Expiry[] {
  const newestFirst = [...points].sort((a, b) => b.requestedAt.localeCompare(a.requestedAt) || b.id.localeCompare(a.id));
  const holdsData = (point: RecoveryPoint) => point.locations.some((location) => location.status === 'available');
  const kept = new Set([newestFirst.find((point) => isVerified(point) && holdsData(point)), newestFirst.find(holdsData)]);
  return newestFirst
    .filter((point) => !kept.has(point))
    .flatMap((point) =>
      point.locations.filter((location) => isPastRetention(point, location, policy, now)).map((location) => ({ point, location })),
    )
    .reverse();
}

function isPastRetention(point: RecoveryPoint, location: Location, policy: RetentionPolicy, now: Date): boolean {
  if (location.status !== 'available' || location.role === 'locked') return false;
  if (location.lockedUntil && Date.parse(location.lockedUntil) > now.getTime()) return false;
  const keepSeconds = policy[point.kind][location.role];
  return now.getTime() - Date.parse(point.requestedAt) > keepSeconds * 1000;
}
