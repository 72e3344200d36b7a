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
import { escalateIncident } from './escalation-machine.ts';

/** 1 000 looks with at most an hour between them are 42 days; the rest is for steps that are tried again. */
const limit = Duration.days(60);

/** The machine that chases people, with its alarms. Deployed in every Region: each works its own incidents. */
export class EscalationMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, topic: AlarmTopic, workers: readonly OperationsFunction[]) {
    super(parent, 'Escalation');
    const machine = new OperationsMachine(this, { scope, keys, workers, limit, name: 'escalate-incident', definition: escalateIncident });
    addMachineAlarms(this, topic, machine, 'nobody is chased about its incident any more');
    const metric = (metricName: string, statistic: string) =>
      new Metric({
        namespace: 'Codeblue/incidents',
        metricName,
        dimensionsMap: { Region: scope.region },
        period: Duration.minutes(5),
        statistic,
      });
    actionableAlarm(this, {
      topic,
      runbook: 'IncidentUnanswered',
      subject: scope.region,
      severity: 1,
      says: 'Everybody whom the escalation policy names was told, as often as it says, and nobody answered.',
      metric: metric(metricNames.incidents.unanswered, Stats.SUM),
      fires: 'at-or-above',
      threshold: 1,
      missingData: 'good', // written only while there is such an incident
    });
    actionableAlarm(this, {
      topic,
      runbook: 'NobodyOnDuty',
      subject: scope.region,
      severity: 1,
      says: 'A step of an escalation told nobody, because its schedules have nobody on duty.',
      metric: metric(metricNames.incidents.nobodyOnDuty, Stats.MAXIMUM),
      fires: 'at-or-above',
      threshold: 1,
      missingData: 'good', // written only when it happens
    });
  }
}
