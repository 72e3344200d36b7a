import type { AuditObjects, Keeping } from '../../audit/ports.ts';
import type { Clock } from '../../common/clock.ts';
import { days } from '../../common/duration.ts';
import { Conflict, InvalidInput, Locked } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';

interface Version {
  readonly bytes: Uint8Array;
  readonly lockedUntil: number;
}

/** Objects of all Regions, by `<region> <path>`, each with its versions, the newest last. */
export type ObjectVersions = Map<string, Version[]>;

/** What the next batch replaces by another path is locked for so long. */
const SUPERSEDED_DAYS = 2;

/** A bucket with Object Lock: every version stays, and none can be removed before its time. */
export function memoryAuditObjects({
  region: own,
  clock,
  keptDays,
  versions = new Map(),
}: {
  readonly region: Region;
  readonly clock: Clock;
  /** `audit.retention.days`. */
  readonly keptDays: number;
  readonly versions?: ObjectVersions;
}): AuditObjects {
  const keyOf = (region: Region, path: string) => `${region} ${path}`;
  const add = (path: string, bytes: Uint8Array, keeping: Keeping) => {
    const lockedUntil = clock.now().getTime() + 1000 * days(keeping === 'kept' ? keptDays : SUPERSEDED_DAYS);
    const known = versions.get(keyOf(own, path)) ?? [];
    versions.set(keyOf(own, path), [...known, { bytes: Uint8Array.from(bytes), lockedUntil }]);
  };
  return {
    async get(region, path) {
      return versions.get(keyOf(region, path))?.at(-1)?.bytes;
    },
    async create(path, bytes, keeping) {
      const known = versions.get(keyOf(own, path))?.at(-1);
      if (!known) add(path, bytes, keeping);
      else if (Buffer.compare(known.bytes, bytes) !== 0)
        throw new Conflict(`${path} is stored already with other content; it is immutable`);
    },
    async publishCheckpoint(path, note, previous) {
      const known = versions.get(keyOf(own, path))?.at(-1)?.bytes;
      if (known === undefined ? previous !== undefined : !previous || Buffer.compare(known, previous) !== 0) return false;
      add(path, note, 'kept');
      return true;
    },
    async *list(region, prefix) {
      const start = keyOf(region, prefix);
      for (const key of [...versions.keys()].filter((each) => each.startsWith(start)).sort()) yield key.slice(region.length + 1);
    },
    async removeSuperseded(path) {
      if (!/\.p\/\d+$/.test(path)) throw new InvalidInput(`${path} is no partial tile: nothing else is ever removed`);
      const known = versions.get(keyOf(own, path)) ?? [];
      if (known.some(({ lockedUntil }) => lockedUntil > clock.now().getTime())) throw new Locked(`${path} is locked`);
      versions.delete(keyOf(own, path));
    },
  };
}
