import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { metricNames } from '../../functions/maintenance/metric-names.ts';
import { addMachineAlarms } from '../machines/machine-alarms.ts';
import { OperationsMachine } from '../machines/operations-machine.ts';
import { actionableAlarm } from '../shared/actionable-alarm.ts';
import type { AlarmTopic } from '../shared/alarm-topic.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { failback } from './failback-machine.ts';

/**
 * The steps that wait give up by themselves: 12 h for the Region, 12 h for its backup, 24 h for the replica, 8 h for the hand-over; the rest is for listing and proving. Its
 * looks make at most some 20 000 of the 25 000 events that Step Functions keeps of an execution.
 */
const limit = Duration.hours(80);

/** The machine that brings the other Region back, with its alarms. Deployed in every Region that can lead: it runs where the lead is. */
export class FailbackMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, topic: AlarmTopic, workers: readonly OperationsFunction[]) {
    super(parent, 'Failback');
    const { region } = scope;
    const machine = new OperationsMachine(this, { scope, keys, workers, limit, name: 'failback', definition: failback });
    addMachineAlarms(this, topic, machine, 'nobody was told; the primary is as it was');
    actionableAlarm(this, {
      topic,
      runbook: 'FailbackStuck',
      subject: region,
      severity: 2,
      says: `A failback stopped: ${region} leads on, and the other Region may be no replica of it.`,
      metric: new Metric({
        namespace: 'Codeblue/failover',
        metricName: metricNames.failover.failbackStopped,
        dimensionsMap: { Region: region },
        statistic: Stats.MAXIMUM,
        period: Duration.minutes(5),
      }),
      fires: 'at-or-above',
      threshold: 1,
      missingData: 'good', // one data point per failback
    });
  }
}
