import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { actionableAlarm } from '../shared/actionable-alarm.ts';
import type { AlarmTopic } from '../shared/alarm-topic.ts';
import type { OperationsMachine } from './operations-machine.ts';

/**
 * An execution that failed, and one that ran into the machine's own limit.
 *
 * @param cutOff what an execution leaves undone that its own limit stops
 */
export function addMachineAlarms(scope: Construct, topic: AlarmTopic, { name, machine }: OperationsMachine, cutOff: string): void {
  const period = { period: Duration.minutes(5), statistic: Stats.SUM };
  actionableAlarm(scope, {
    topic,
    runbook: 'MachineFailed',
    subject: name,
    severity: 2,
    says: `An execution of ${name} ended in failure.`,
    metric: machine.metricFailed(period),
    fires: 'at-or-above',
    threshold: 1,
    missingData: 'good', // no executions, no data
  });
  actionableAlarm(scope, {
    topic,
    runbook: 'MachineTimedOut',
    subject: name,
    severity: 1,
    says: `An execution of ${name} hit its limit: ${cutOff}.`,
    metric: machine.metricTimedOut(period),
    fires: 'at-or-above',
    threshold: 1,
    missingData: 'good',
  });
}
