import { sequenceAuditLog } from '../../functions/audit/log/sequence-audit-log.ts';
import { minutes } from '../../functions/common/duration.ts';
import { RegionSchedule, type Repeated } from '../failover/region-schedule.ts';
import type { Lab } from '../lab.ts';

/** As scheduled: a run begins each minute and outlasts the next one's beginning. */
export const sequencing: Repeated = {
  task: sequenceAuditLog,
  everyMs: minutes(1) * 1000,
  runMs: minutes(5) * 1000,
  overlaps: true,
};

/**
 * Sequences the logs of all Regions from now on, as the deployed sequencers do: what a scenario records, and what the command line records in a lab that is kept, is in a published
 * log half a second later.
 */
export function startSequencers(lab: Lab): { stop(): Promise<void> } {
  const schedules = lab.regions.names.map((region) => new RegionSchedule(lab, region));
  for (const schedule of schedules) schedule.start(sequencing);
  return {
    async stop() {
      await Promise.all(schedules.map((schedule) => schedule.stop()));
    },
  };
}
