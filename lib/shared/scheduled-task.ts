import { Duration } from 'aws-cdk-lib';
import {
  ContextAttribute,
  type IScheduleGroup,
  Schedule,
  ScheduleExpression,
  ScheduleTargetInput,
  TimeWindow,
} from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { TimeZone } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { InvalidInput } from '../../functions/common/errors.ts';
import { describeSchedule, schedulerExpressions } from '../../functions/common/schedule.ts';
import type { AnyTask, ScheduledRun } from '../../functions/common/task.ts';
import { exactRole, grant } from './grant.ts';
import type { OperationsFunction } from './operations-function.ts';
import type { RegionScope } from './region-scope.ts';
import type { RegionalKeys } from './regional-keys.ts';

/**
 * How long EventBridge Scheduler goes on handing over one occurrence to Lambda: with its exponential waits, 20 attempts
 * within an hour. It covers Lambda not answering; what the task itself does wrong is retried by Lambda (2 more attempts).
 */
const delivery = { retryAttempts: 20, maxEventAge: Duration.hours(1) };

export interface ScheduledTaskProps {
  readonly scope: RegionScope;
  readonly task: AnyTask;
  readonly worker: OperationsFunction;
  readonly keys: RegionalKeys;
  readonly group: IScheduleGroup;
}

/**
 * The schedules of one task: exact times in the deployment's zone, one role that may invoke this function and nothing
 * else, and the function's dead-letter queue for what could not be handed over.
 *
 * Schedules are on in every Region that has the function. A task that runs in the active Region only asks for itself
 * whether this is the one, so after a failover it starts here without anybody enabling anything.
 */
export class ScheduledTask extends Construct {
  constructor(parent: Construct, { scope, task, worker, keys, group }: ScheduledTaskProps) {
    super(parent, `${task.name}-schedule`);
    const { operations } = scope;
    const { deadLetters } = worker;
    if (!deadLetters) throw new InvalidInput(`${task.name} is scheduled but its function has no dead-letter queue`);

    const role = exactRole(this, 'Role', {
      service: 'scheduler.amazonaws.com',
      onlyFor: operations.account,
      description: `EventBridge Scheduler starts ${task.name}`,
      grants: [
        grant({ actions: ['lambda:InvokeFunction'], resources: [worker.function.functionArn] }),
        grant({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
        grant({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keys.state.keyArn] }),
      ],
    });

    const runs: readonly ScheduledRun[] = task.schedules(operations);
    for (const run of runs) {
      for (const [index, { expression, timeZone }] of schedulerExpressions(run.schedule, operations.timeZone).entries()) {
        const id = [run.key.replace(/[^0-9A-Za-z-]/g, '-'), index === 0 ? '' : String(index + 1)].filter(Boolean).join('-') || 'only';
        new Schedule(this, id, {
          scheduleGroup: group,
          description: `${task.name} ${run.key}: ${describeSchedule(run.schedule)}`,
          schedule: ScheduleExpression.expression(expression, TimeZone.of(timeZone)),
          timeWindow: TimeWindow.off(),
          target: new LambdaInvoke(worker.function, {
            role,
            deadLetterQueue: deadLetters,
            ...delivery,
            input: ScheduleTargetInput.fromObject({ key: run.key, scheduledAt: ContextAttribute.scheduledTime, input: run.input }),
          }),
        });
      }
    }
  }
}
