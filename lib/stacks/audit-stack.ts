import { NestedStack } from 'aws-cdk-lib';
import { type FunctionUrl, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { IScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import type { Need } from '../../functions/common/ports.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import { runsHere } from '../../functions/maintenance/runs-here.ts';
import { consumerLists, endpointLists } from '../../functions/tasks.ts';
import { AuditBus } from '../audit/audit-bus.ts';
import { LogBuckets } from '../audit/log-buckets.ts';
import { LogKeys } from '../audit/log-keys.ts';
import { LogTable } from '../audit/log-table.ts';
import { ConsumedQueue } from '../incidents/signal-queues.ts';
import { isAuditNeed } from '../shared/audit-permissions.ts';
import { ScheduledTask } from '../shared/scheduled-task.ts';
import { type RegionGround, RegionWorkers } from './region-workers.ts';

/** Whether a task has its function in this stack. */
export const worksOnAuditLog = (task: AnyTask): boolean => task.needs.some(isAuditNeed);

/**
 * The audit log of a Region: its table, its objects, its keys, the doors by which events come in, and the tasks that work on it, whose roles are named in the policies of what only
 * they may touch. Nested, because one stack holds 500 resources at most.
 */
export class AuditStack extends NestedStack {
  /** Where services send audit events, signed; by endpoint. */
  readonly addresses: ReadonlyMap<string, FunctionUrl>;

  constructor(parent: Construct, ground: RegionGround, group: IScheduleGroup) {
    const { scope, keys } = ground;
    super(parent, 'AuditLog', { description: `Codeblue for ${scope.operations.name}: the audit log of ${scope.region}` });
    const workers = new RegionWorkers(this, ground);
    const scheduled = ground.tasks
      .filter((task) => worksOnAuditLog(task) && runsHere(task, scope.operations, scope.region))
      .map((task) => ({ task, worker: workers.make(task) }));
    for (const { task, worker } of scheduled) new ScheduledTask(this, { scope, task, worker, keys, group });
    const rolesWith = (need: Need): readonly string[] =>
      scheduled.filter(({ task }) => task.needs.includes(need)).flatMap(({ worker }) => worker.function.role?.roleArn ?? []);

    new LogTable(this, scope, keys);
    new LogKeys(this, scope, rolesWith('checkpoint-signer:sign'));
    new LogBuckets(this, scope, keys, { sequencers: rolesWith('audit-objects:append'), sweepers: rolesWith('audit-objects:sweep') });
    for (const consumer of consumerLists.audit) {
      new AuditBus(this, scope, keys, new ConsumedQueue(this, scope, keys, consumer, workers.make(consumer)));
    }
    // No policy of the function's own: principals of this account ask by theirs (lambda:InvokeFunctionUrl), and others not at all.
    this.addresses = new Map(
      endpointLists.audit.map((endpoint) => [
        endpoint.name,
        workers.make(endpoint).function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM }),
      ]),
    );
  }
}
