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
import { containBreach } from './contain-breach-machine.ts';

/**
 * The steps that wait give up by themselves: 4 h for snapshots to begin, 48 h for the logs, 24 h for storage, 120 h for a recovery. Their looks make at most some
 * 16 000 of the 25 000 events of an execution: the logs are exported in runs of eight minutes.
 */
const limit = Duration.hours(210);

/** The machine that contains a breach, with its alarms. Deployed in every Region that can lead: it runs where the lead is. */
export class BreachMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, topic: AlarmTopic, workers: readonly OperationsFunction[]) {
    super(parent, 'Breach');
    const { region } = scope;
    const machine = new OperationsMachine(this, { scope, keys, workers, limit, name: 'contain-breach', definition: containBreach });
    addMachineAlarms(this, topic, machine, 'what a breach left may not be kept');
    actionableAlarm(this, {
      topic,
      runbook: 'SecurityBreach',
      subject: region,
      severity: 1,
      says: `A breach was declared: the application is being shut out of the databases, ${region} first.`,
      metric: new Metric({
        namespace: 'Codeblue/failover',
        metricName: metricNames.failover.breaches,
        dimensionsMap: { Region: region },
        statistic: Stats.SUM,
        period: Duration.minutes(1),
      }),
      fires: 'at-or-above',
      threshold: 1,
      missingData: 'good', // it is rare
    });
  }
}
