import type { Region } from '../../common/ids.ts';
import { isOver } from '../is-over.ts';
import type { Incident } from '../models.ts';

/** What each Region leaves to the one before it, for a cause that every Region sees. */
const secondsPerRank = 60;

/**
 * Seconds that an incident's home leaves to other Regions before it tells anybody. A cause that lies in another Region is seen by all the others too; they take turns
 * in the order of `regions`, the one that it lies in left out. 0 for what only its home hears of.
 *
 * @param regions of the deployment: primary, standby, tertiary
 */
export function leavesSeconds({ home, troubles }: Incident, regions: readonly Region[]): number {
  const [first] = troubles;
  if (!first || troubles.some(({ region }) => region === home)) return 0;
  const seeing = regions.filter((region) => region === home || !troubles.some((trouble) => trouble.region === region));
  return secondsPerRank * Math.max(0, seeing.indexOf(home));
}

/** Open incidents of Regions that come before its home in telling people of the same cause. */
export function sameCauseBefore(incident: Incident, open: readonly Incident[], regions: readonly Region[]): readonly Incident[] {
  const keys = new Set(incident.troubles.map(({ dedupKey }) => dedupKey));
  return open.filter(
    (other) =>
      other.home !== incident.home &&
      !isOver(other) &&
      regions.indexOf(other.home) < regions.indexOf(incident.home) &&
      other.troubles.some(({ dedupKey }) => keys.has(dedupKey)),
  );
}
