import { existsSync } from 'node:fs';
import { Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { InvalidInput } from '../../functions/common/errors.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { alarmNameOf, pagerAlarmNameOf, watchingNameOf } from '../../functions/incidents/alarms/alarm-name.ts';
import type { AlarmRow } from '../../functions/incidents/alarms/alarm-row.ts';
import { withCauses } from '../../functions/incidents/alarms/causes.ts';
import type { MissingData } from '../../functions/incidents/alarms/evaluate.ts';
import { alarmMetric } from './alarm-metric.ts';

const comparisons = {
  'at-or-above': cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  above: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
  below: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
} as const;

const treatments: Readonly<Record<MissingData, cloudwatch.TreatMissingData>> = {
  breaching: cloudwatch.TreatMissingData.BREACHING,
  notBreaching: cloudwatch.TreatMissingData.NOT_BREACHING,
  ignore: cloudwatch.TreatMissingData.IGNORE,
  missing: cloudwatch.TreatMissingData.MISSING,
};

interface TableAlarmsProps {
  readonly operations: Operations;
  readonly topic: ITopic;
  readonly table: readonly AlarmRow[];
}

/** The alarm that tells people, by row. */
export type TellingAlarms = ReadonlyMap<AlarmRow, cloudwatch.IAlarm>;

/**
 * The table as alarms that somebody can act on: each names its runbook, its severity and its owner, and says what silence means. What follows from another alarm watches
 * only; a composite alarm tells of it while its causes are well. With `incidents.mode` on, EventBridge carries their changes to triage, and nothing but alarms on the pager
 * itself goes to the topic.
 *
 * @throws InvalidInput when a runbook's page does not exist
 */
export function tableAlarms(scope: Construct, { operations, topic, table }: TableAlarmsProps): TellingAlarms {
  const caused = withCauses(table);
  const metricAlarms = new Map(caused.map(({ row, causes }) => [row, metricAlarm(scope, operations, row, causes.length === 0)]));
  const alarmFor = (row: AlarmRow): cloudwatch.Alarm => {
    const made = metricAlarms.get(row);
    if (made) return made;
    throw new InvalidInput(`${row.alarm} of ${row.subject} is not in the table`);
  };
  return new Map(
    caused.map(({ row, causes }) => {
      const own = alarmFor(row);
      const telling = causes.length === 0 ? own : compositeAlarm(scope, operations, row, own, causes.map(alarmFor));
      const onTopic = row.tells === 'topic' || operations.incidents.mode === 'off';
      if (onTopic) telling.addAlarmAction(new SnsAction(topic));
      if (onTopic) telling.addOkAction(new SnsAction(topic));
      if (own !== telling) withoutAction(own, 'it watches for a composite alarm, which tells of it unless its cause rings');
      else if (!onTopic) withoutAction(own, 'EventBridge carries its changes to the queue before triage, which tells people');
      return [row, telling];
    }),
  );
}

function metricAlarm(scope: Construct, { name: deployment }: Operations, row: AlarmRow, tells: boolean): cloudwatch.Alarm {
  const telling = row.tells === 'topic' ? pagerAlarmNameOf : alarmNameOf;
  const alarmName = tells ? telling({ deployment, ...row }) : watchingNameOf({ deployment, ...row });
  return new cloudwatch.Alarm(scope, `${row.alarm}-${row.subject}`, {
    alarmName,
    alarmDescription: describe(row),
    metric: alarmMetric(row),
    comparisonOperator: comparisons[row.fires],
    threshold: row.threshold,
    evaluationPeriods: row.periods,
    datapointsToAlarm: row.datapointsToAlarm,
    treatMissingData: treatments[row.missingData],
  });
}

function compositeAlarm(
  scope: Construct,
  { name: deployment }: Operations,
  row: AlarmRow,
  own: cloudwatch.Alarm,
  causes: readonly cloudwatch.Alarm[],
): cloudwatch.CompositeAlarm {
  const rings = (alarm: cloudwatch.Alarm) => cloudwatch.AlarmRule.fromAlarm(alarm, cloudwatch.AlarmState.ALARM);
  return new cloudwatch.CompositeAlarm(scope, `${row.alarm}-${row.subject}-alone`, {
    compositeAlarmName: alarmNameOf({ deployment, ...row }),
    alarmDescription: describe(row),
    alarmRule: cloudwatch.AlarmRule.allOf(rings(own), cloudwatch.AlarmRule.not(cloudwatch.AlarmRule.anyOf(...causes.map(rings)))),
  });
}

const runbookUrl = (page: string): URL => new URL(`../../docs/runbooks/${page}.md`, import.meta.url);

function describe({ alarm, says, severity, owner }: AlarmRow): string {
  if (existsSync(runbookUrl(alarm))) return `${says}\nSeverity ${severity} · Owner ${owner} · Runbook docs/runbooks/${alarm}.md`;
  throw new InvalidInput(`the alarm ${alarm} has no runbook`, {
    hint: `Write docs/runbooks/${alarm}.md: what it means, what to do first.`,
  });
}

const withoutAction = (alarm: cloudwatch.Alarm, reason: string): void =>
  Validations.of(alarm).acknowledge({ id: 'HIPAA.Security-CloudWatchAlarmAction', reason });
