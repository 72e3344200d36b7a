import { type DatabaseId, timestamp } from '../../functions/common/ids.ts';
import { type CoordinationRecord, Epoch, type FailoverPlan, FailoverPlan as PlanSchema } from '../../functions/failover/models.ts';
import { testOperations } from '../support/operations.ts';

export const operations = testOperations();
export const { primary, standby, tertiary } = operations.regions;
export const policy = operations.failover;
export const databaseIds: readonly DatabaseId[] = operations.databases.map(({ id }) => id);

export const start = new Date('2026-11-21T12:00:00.000Z');
export const secondsLater = (count: number): Date => new Date(start.getTime() + count * 1000);
export const at = (count: number) => timestamp(secondsLater(count));
export const epoch = (count: number): Epoch => Epoch.parse(count);

/** Led by the primary Region since yesterday, in epoch 7. */
export function led(change: Partial<CoordinationRecord> = {}): CoordinationRecord {
  return {
    epoch: epoch(7),
    holder: primary,
    phase: 'active',
    leaseUntil: at(20),
    fenced: true,
    changedAt: at(-86_400),
    version: 41,
    ...change,
  };
}

/** Moves from the primary to the standby Region in epoch 8. */
export function planned(change: Partial<FailoverPlan> = {}): FailoverPlan {
  return PlanSchema.parse({
    kind: 'failover',
    from: primary,
    to: standby,
    epoch: 8,
    requestedBy: 'codeblue',
    reason: 'us-east-1 does not answer',
    requestedAt: at(0),
    needsApproval: false,
    databases: databaseIds.map((databaseId) => ({ databaseId, lossBudgetSeconds: 60 })),
    ...change,
  });
}
