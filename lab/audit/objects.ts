import { join } from 'node:path';
import type { AuditObjects } from '../../functions/audit/ports.ts';
import type { Clock } from '../../functions/common/clock.ts';
import type { Duration } from '../../functions/common/duration.ts';
import type { Region } from '../../functions/common/ids.ts';
import type { RegionPaths } from '../region.ts';
import type { Regions } from '../regions.ts';
import { LockedFiles } from './locked-files.ts';

/** Where a Region's own log lies. */
export const auditLogDir = ({ objects }: Pick<RegionPaths, 'objects'>): string => join(objects, 'audit');

/** The logs of all Regions, each as files of its own Region; the others are reached as far as the fault layer lets through. */
export function labAuditObjects(regions: Regions, viewer: Region, clock: Pick<Clock, 'now'>, kept: Duration): AuditObjects {
  const filesOf = (region: Region) => new LockedFiles(auditLogDir(regions.use(region).paths), clock, kept);
  return {
    get: async (region, path) => filesOf(region).get(path),
    create: async (path, bytes, keeping) => filesOf(viewer).create(path, bytes, keeping),
    publishCheckpoint: async (path, note, previous) => filesOf(viewer).replace(path, note, previous),
    async *list(region, prefix) {
      yield* filesOf(region).list(prefix);
    },
    removeSuperseded: async (path) => filesOf(viewer).removeSuperseded(path),
  };
}
