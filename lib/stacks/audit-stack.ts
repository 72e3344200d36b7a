import { NestedStack } from 'aws-cdk-lib';
import { type FunctionUrl, FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Need } from '../../functions/common/ports.ts';
import { consumerLists, endpointLists } from '../../functions/tasks.ts';
import { AuditBus } from '../audit/audit-bus.ts';
import { LogBuckets } from '../audit/log-buckets.ts';
import { LogKeys } from '../audit/log-keys.ts';
import { LogTable } from '../audit/log-table.ts';
import { ConsumedQueue } from '../incidents/signal-queues.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import { type RegionGround, RegionWorkers } from './region-workers.ts';

/**
 * The audit log of a Region: its table, its objects, its keys, and the doors by which events come in. Nested, because one stack holds 500 resources at most. The tasks that work on it stand
 * with all other tasks; here their roles are named in the policies of what only they may touch.
 */
export class AuditStack extends NestedStack {
  /** Where services send audit events, signed; by endpoint. */
  readonly addresses: ReadonlyMap<string, FunctionUrl>;

  /** @param tasks functions of every task of this Region */
  constructor(parent: Construct, ground: RegionGround, tasks: readonly OperationsFunction[]) {
    const { scope, keys } = ground;
    super(parent, 'AuditLog', { description: `Codeblue for ${scope.operations.name}: the audit log of ${scope.region}` });
    const appends = rolesWith(tasks, 'audit-objects:append');
    new LogTable(this, scope, keys);
    new LogKeys(this, scope, rolesWith(tasks, 'checkpoint-signer:sign'));
    new LogBuckets(this, scope, keys, { sequencers: appends, sweepers: rolesWith(tasks, 'audit-objects:sweep') });
    const workers = new RegionWorkers(this, ground);
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

const rolesWith = (workers: readonly OperationsFunction[], need: Need): readonly string[] =>
  workers.filter(({ operation }) => operation.needs.includes(need)).flatMap((worker) => worker.function.role?.roleArn ?? []);
