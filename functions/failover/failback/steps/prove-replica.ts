import { minutes } from '../../../common/duration.ts';
import { RecoveryPointId, timestamp } from '../../../common/ids.ts';
import { databaseOf } from '../../../common/operations-lookup.ts';
import { defineStep } from '../../../common/task.ts';
import { FailbackRecord } from '../models.ts';
import { proveReplica } from '../prove-replica.ts';
import { act, found, whyNotLeading } from './failback-step.ts';

/** Kept at the end of a run for what follows the comparison. */
const spareMilliseconds = 10_000;

/** Holds every rebuilt replica against its primary, row by row; one database a run. */
export const proveReplicaEqual = defineStep({
  name: 'prove-replica',
  summary: 'Proves that the rebuilt replica holds what its primary holds.',
  network: 'production',
  timeout: minutes(15),
  memoryMegabytes: 1769,
  needs: ['coordination:read', 'sql-servers:live'],
  input: FailbackRecord,
  async run(record, context) {
    const { coordination, sqlServers, operations, clock, deadline } = context;
    const { leader, oldRegion, failbackId } = record.request;
    const disturbed = await whyNotLeading(coordination, record);
    if (disturbed !== undefined) return found(record, 'stopped', disturbed, clock.now());
    const remaining = operations.databases.filter(({ id }) => !record.proven.some(({ databaseId }) => databaseId === id));
    const [next] = remaining;
    if (!next) return found(record, 'proven', `every replica in ${oldRegion} holds what its primary holds`, clock.now());
    const primary = await sqlServers.live(next.id, leader);
    const replica = await sqlServers.live(next.id, oldRegion);
    const checks = await act(context, record, { action: 'prove-replica', resource: `${oldRegion}/${next.id}` }, () =>
      proveReplica({
        ...{ primary, replica, databaseId: next.id, databaseNames: databaseOf(operations, next.id).databaseNames, clock },
        recoveryPointId: RecoveryPointId.parse(`cb-${next.id}-${failbackId}`),
        deadline: new Date(deadline.getTime() - spareMilliseconds),
      }),
    );
    const failed = checks.filter(({ result }) => result === 'failed');
    if (failed.length > 0) {
      const findings = failed.flatMap(({ findings: each }) => each).join('; ');
      return found(record, 'stopped', `the replica of ${next.id} is not equal to its primary: ${findings}`, clock.now());
    }
    const proven = [...record.proven, { databaseId: next.id, at: timestamp(clock.now()), checks: [...checks] }];
    const says = `the replica of ${next.id} holds what its primary holds`;
    return found({ ...record, proven }, remaining.length > 1 ? 'proving' : 'proven', says, clock.now());
  },
});
