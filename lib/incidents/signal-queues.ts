import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type AnyConsumer, triesOf, visibilityOf } from '../../functions/common/consumer.ts';
import { deadLetterQueueName, queueName } from '../../functions/common/names.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/** As long as SQS keeps anything: a signal that cannot be triaged outlives a long weekend. */
const kept = Duration.days(14);

/**
 * The queue of one consumer, with the queue of what it gave up, and the event source between them. Only what this account's own functions and rules send is taken.
 * Alarms on what waits and what was given up are rows of the table (functions/incidents/alarms/pager-rows.ts).
 */
export class ConsumedQueue extends Construct {
  readonly queue: sqs.Queue;
  readonly deadLetters: sqs.Queue;

  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, consumer: AnyConsumer, worker: OperationsFunction) {
    super(parent, consumer.queue);
    const { operations } = scope;
    const common = { encryptionMasterKey: keys.state, enforceSSL: true, retentionPeriod: kept, dataKeyReuse: Duration.hours(1) };
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', { ...common, queueName: deadLetterQueueName(operations, consumer.queue) });
    this.queue = new sqs.Queue(this, 'Queue', {
      ...common,
      queueName: queueName(operations, consumer.queue),
      visibilityTimeout: Duration.seconds(visibilityOf(consumer)),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: triesOf(consumer) },
    });
    new lambda.EventSourceMapping(this, 'Source', {
      target: worker.function,
      eventSourceArn: this.queue.queueArn,
      batchSize: consumer.batchSize,
      maxBatchingWindow: Duration.seconds(consumer.batchWindow),
      maxConcurrency: consumer.concurrency,
      reportBatchItemFailures: true,
    });
  }

  /** Lets a rule of EventBridge send here, and what it cannot send to the dead letters. */
  takeFrom(ruleArn: string): void {
    for (const queue of [this.queue, this.deadLetters]) {
      queue.addToResourcePolicy(
        new iam.PolicyStatement({
          principals: [new iam.ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [queue.queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': ruleArn } },
        }),
      );
    }
  }
}
