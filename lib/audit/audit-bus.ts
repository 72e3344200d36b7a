import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { auditBusName } from '../../functions/common/names.ts';
import type { ConsumedQueue } from '../incidents/signal-queues.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/** EventBridge goes on trying for a day, its longest; after that the event is a dead letter of the queue. */
const delivery = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/**
 * The bus that applications put audit events on, and its one rule: everything goes to the queue, whatever its detail type, so that what nobody understands is refused in words and counted,
 * not lost. The bus has no policy of its own: principals of this account put events on it by their own (`events:PutEvents`), others not at all. No archive: it would keep bodies that are
 * erased elsewhere.
 */
export class AuditBus extends Construct {
  constructor(parent: Construct, { operations }: RegionScope, keys: RegionalKeys, queue: ConsumedQueue) {
    super(parent, 'AuditBus');
    const bus = new events.CfnEventBus(this, 'Bus', {
      name: auditBusName(operations),
      description: `Codeblue ${operations.name}: audit events of applications`,
      kmsKeyIdentifier: keys.state.keyArn,
    });
    const rule = new events.CfnRule(this, 'Rule', {
      description: `Codeblue ${operations.name}: every audit event to its queue`,
      eventBusName: bus.ref,
      eventPattern: { account: [operations.account] },
      targets: [{ id: 'queue', arn: queue.queue.queueArn, retryPolicy: delivery, deadLetterConfig: { arn: queue.deadLetters.queueArn } }],
    });
    queue.takeFrom(rule.attrArn);
  }
}
