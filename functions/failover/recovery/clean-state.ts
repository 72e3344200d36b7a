import { isVerified, type LiveDatabase, type Location, type RecoveryPoint } from '../../backup/models.ts';
import { secondsBetween } from '../../common/duration.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { CleanState } from './models.ts';

export interface RestorableState {
  /** The Region that leads. */
  readonly region: Region;
  readonly points: readonly RecoveryPoint[];
  /** Undefined when the database service does not know the live database any more: then there is no log. */
  readonly live: Pick<LiveDatabase, 'earliestRestorableAt' | 'latestRestorableAt'> | undefined;
  /** The last second that is still good. */
  readonly until: Date;
}

export type CleanChoice =
  | { readonly kind: 'chosen'; readonly state: CleanState }
  /** The log is stored some minutes after it is written, and does not reach the second yet. */
  | { readonly kind: 'wait'; readonly says: string }
  | { readonly kind: 'none'; readonly because: string };

/**
 * The last clean state that can be restored. The log where it reaches, because it loses least; and where it does not begin early enough, the newest proven backup
 * that was complete at that second.
 *
 * @param patience `wait` for a log that is late; `now` takes what it has, which is later than any backup before it
 */
export function chooseCleanState({ region, points, live, until }: RestorableState, patience: 'wait' | 'now'): CleanChoice {
  const proven = newestProven(points, region, until);
  const { earliestRestorableAt: earliest, latestRestorableAt: latest } = live ?? {};
  if (earliest && latest && until >= earliest && latest >= earliest) {
    if (until > latest && patience === 'wait') {
      return {
        kind: 'wait',
        says: `the log reaches ${timestamp(latest)}, ${Math.ceil(secondsBetween(latest, until))} s before ${timestamp(until)}`,
      };
    }
    const restoredTo = timestamp(until > latest ? latest : until);
    return { kind: 'chosen', state: { method: 'transaction-log', restoredTo, ...(proven ? { provenBefore: proven.point.id } : {}) } };
  }
  if (!proven) {
    const reach = earliest ? `the log of it begins at ${timestamp(earliest)}` : 'there is no log of it';
    return { kind: 'none', because: `${reach}, and no proven backup in ${region} was complete before ${timestamp(until)}` };
  }
  const { point, location } = proven;
  const ids = { recoveryPointId: point.id, snapshotId: location.snapshotId };
  return { kind: 'chosen', state: { method: 'recovery-point', restoredTo: point.requestedAt, ...ids } };
}

/**
 * A snapshot shows an instant between its request and its completion: only when it was complete where it was taken by that second is what came later certainly
 * not in it. A locked copy lies in a vault that is no source of a restore here.
 */
function newestProven(
  points: readonly RecoveryPoint[],
  region: Region,
  until: Date,
): { readonly point: RecoveryPoint; readonly location: Location } | undefined {
  const complete = ({ locations }: RecoveryPoint) =>
    locations.some(({ role, availableAt }) => role === 'home' && availableAt !== undefined && Date.parse(availableAt) <= until.getTime());
  const candidates = points
    .filter((point) => isVerified(point) && complete(point))
    .sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  for (const point of candidates) {
    const location = point.locations.find(
      (each) => each.region === region && each.role !== 'locked' && each.status === 'available' && each.verdict?.outcome !== 'refused',
    );
    if (location) return { point, location };
  }
  return undefined;
}
