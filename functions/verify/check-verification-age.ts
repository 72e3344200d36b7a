import { z } from 'zod';
import { isVerified, type RecoveryPoint } from '../backup/models.ts';
import { minutes, secondsBetween } from '../common/duration.ts';
import { every } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import { metricNames } from '../maintenance/metric-names.ts';

/** Ten years: what an alarm sees when nothing was ever verified. */
const never = 10 * 365 * 86_400;

/** Measures how old the newest verified restore of each database is (row V8); the alarm compares it with the config. */
export const checkVerificationAge = defineTask({
  name: 'check-verification-age',
  summary: 'Measures how old the newest verified restore of each database is.',
  schedule: every(minutes(15)),
  runsIn: 'active',
  catchUp: false,
  needs: ['recovery-points:read'],
  input: z.strictObject({}),
  async run(_, { operations, recoveryPoints, metrics, clock }) {
    const ages = [];
    for (const { id } of operations.databases) {
      const ageSeconds = newestVerifiedAge(await recoveryPoints.list(id), clock.now()) ?? never;
      await metrics.put({
        capability: 'verify',
        name: metricNames.verify.newestVerifiedAge,
        value: ageSeconds,
        unit: 'Seconds',
        dimensions: { Database: id },
      });
      ages.push({ databaseId: id, ageSeconds, overdue: ageSeconds > operations.verification.maxAge });
    }
    return { ages };
  },
});

/**
 * Seconds since the newest verified point that can still be restored was taken; undefined when there is none. It counts from
 * when the backup was taken, not from when it was verified: what matters is the data that a restore would bring back.
 */
function newestVerifiedAge(points: readonly RecoveryPoint[], now: Date): number | undefined {
  const newest = points
    .filter((point) => isVerified(point) && point.locations.some((location) => location.status === 'available'))
    .map((point) => Date.parse(point.requestedAt))
    .sort((a, b) => b - a)[0];
  return newest === undefined ? undefined : secondsBetween(new Date(newest), now);
}
