import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { type Severity, severities } from '../../functions/common/incident-policy.ts';
import type { QueueName } from '../../functions/common/names.ts';
import { tellingPrefix } from '../../functions/incidents/alarms/alarm-name.ts';
import { alarmStateChange } from '../../functions/incidents/ingest/cloudwatch-event.ts';
import { codeblueSignal } from '../../functions/incidents/ingest/codeblue-event.ts';
import { queueOf } from '../../functions/incidents/ingest/queue-of.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { ConsumedQueue } from './signal-queues.ts';

/** EventBridge goes on trying for a day, its longest; after that the event is a dead letter of the queue. */
const delivery = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/**
 * The rules of the Region's default event bus: changes of this deployment's alarms that tell people, and signals that Codeblue or the system it works for announce. Events
 * go to the queues as they are; which queue is said by the severity, in the alarm's name or in the signal.
 */
export class SignalRules extends Construct {
  constructor(parent: Construct, { operations }: RegionScope, queues: ReadonlyMap<ConsumedQueue, QueueName>) {
    super(parent, 'Rules');
    for (const [queue, name] of queues) {
      const own = severities.filter((severity) => queueOf({ severity, action: 'trigger' }) === name);
      const rule = (id: string, description: string, eventPattern: unknown): void => {
        const made = new events.CfnRule(this, `${id}-${name}`, {
          description: `Codeblue ${operations.name}: ${description} to ${name}`,
          eventPattern,
          targets: [
            { id: 'queue', arn: queue.queue.queueArn, retryPolicy: delivery, deadLetterConfig: { arn: queue.deadLetters.queueArn } },
          ],
        });
        queue.takeFrom(made.attrArn);
      };
      rule('Alarms', 'changes of alarms', alarmPattern(operations.name, own));
      rule('Announced', 'signals', signalPattern(own));
    }
  }
}

const alarmPattern = (deployment: string, own: readonly Severity[]) => ({
  source: [alarmStateChange.source],
  'detail-type': [alarmStateChange.detailType],
  detail: { alarmName: own.map((severity) => ({ prefix: tellingPrefix(deployment, severity) })) },
});

const signalPattern = (own: readonly Severity[]) => ({
  source: [codeblueSignal.source],
  'detail-type': [codeblueSignal.detailType],
  detail: { severity: own },
});
