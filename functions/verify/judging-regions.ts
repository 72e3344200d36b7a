import type { Region } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';

/** Regions that restore and judge backups: where databases live or may live after a failover, and where copies lie. */
export const judgingRegions = ({ regions, databases }: Operations): readonly Region[] => [
  ...new Set([regions.primary, regions.standby, ...databases.flatMap((database) => database.copyTo)]),
];
