import { systemClock } from '../../functions/common/clock.ts';
import { Region } from '../../functions/common/ids.ts';
import { SingleLog } from '../../lab/audit/single-log.ts';
import { labOperations, labRegions } from '../../lab/operations.ts';

/** Events that a request or a message of the bus brings. */
export const TAKEN_AT_A_TIME = 500;

/** A log in a directory, as the judge and the benchmarks make it. */
export const benchLog = (dir: string): SingleLog =>
  new SingleLog({ dir, operations: labOperations('hms', []), region: Region.parse(labRegions.primary), clock: systemClock });
