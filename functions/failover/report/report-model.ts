import { z } from 'zod';
import { Duration } from '../../common/duration.ts';
import { DatabaseId, Timestamp } from '../../common/ids.ts';
import { FailoverPlan, FailoverRecord, LossEstimate, PhaseTime } from '../models.ts';

const Rto = z.strictObject({ objectiveSeconds: Duration, seconds: z.number().nonnegative().optional() });

/** What a change of leadership came to: time by phase, recovery time against the objectives, loss against the budgets. */
export const FailoverReport = z.strictObject({
  format: z.literal('codeblue-failover-report/1'),
  plan: FailoverPlan,
  outageSince: Timestamp,
  endedAt: Timestamp,
  fenced: FailoverRecord.shape.fenced,
  phases: z.array(PhaseTime),
  rto: z.strictObject({ database: Rto, criticalServices: Rto, full: Rto }),
  losses: z.array(LossEstimate),
  snapshots: z.array(z.strictObject({ databaseId: DatabaseId, databaseName: z.string(), snapshot: z.string() })),
  shortfalls: z.array(z.string()),
});
export type FailoverReport = z.output<typeof FailoverReport>;
