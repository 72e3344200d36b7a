import { existsSync } from 'node:fs';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Construct } from 'constructs';
import { InvalidInput } from '../../functions/common/errors.ts';
import type { AlarmTopic } from './alarm-topic.ts';

/** 1: patients' data is at risk now. 2: a promise is about to break. 3: look today. 4: look this week. */
type Severity = 1 | 2 | 3 | 4;

export interface ActionableAlarmProps {
  readonly topic: AlarmTopic;
  /** Kind of alarm, such as `BackupRefused`; its page is docs/runbooks/<runbook>.md. */
  readonly runbook: string;
  /** What it watches: a task, a database, a machine, a Region. */
  readonly subject: string;
  readonly severity: Severity;
  /** One sentence: what is wrong when it fires. */
  readonly says: string;
  readonly metric: cloudwatch.IMetric;
  readonly fires: 'at-or-above' | 'above' | 'below';
  readonly threshold: number;
  /** Neighbouring periods that must all be past the threshold. */
  readonly periods?: number;
  /** What silence means: `bad` fires on it, `good` does not. No default: silence is the commonest failure of all. */
  readonly missingData: 'bad' | 'good';
}

const comparisons = {
  'at-or-above': cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  above: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
  below: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
} as const;

const runbookUrl = (page: string): URL => new URL(`../../docs/runbooks/${page}.md`, import.meta.url);

/**
 * An alarm that somebody can act on: it names its runbook, its severity and its owner, says what silence means, and
 * reaches the on-call person. Its id and name are `<runbook>-<subject>`.
 *
 * @throws InvalidInput when the runbook's page does not exist
 */
export function actionableAlarm(scope: Construct, props: ActionableAlarmProps): cloudwatch.Alarm {
  const { topic, runbook, subject, severity, says } = props;
  if (!existsSync(runbookUrl(runbook))) {
    throw new InvalidInput(`the alarm ${runbook} has no runbook`, {
      hint: `Write docs/runbooks/${runbook}.md: what it means, what to do first.`,
    });
  }
  const alarm = new cloudwatch.Alarm(scope, `${runbook}-${subject}`, {
    alarmName: `${topic.deploymentName}-codeblue-${runbook}-${subject}`,
    alarmDescription: `${says}\nSeverity ${severity} · Owner ${topic.owner} · Runbook docs/runbooks/${runbook}.md`,
    metric: props.metric,
    comparisonOperator: comparisons[props.fires],
    threshold: props.threshold,
    evaluationPeriods: props.periods ?? 1,
    treatMissingData: props.missingData === 'bad' ? cloudwatch.TreatMissingData.BREACHING : cloudwatch.TreatMissingData.NOT_BREACHING,
  });
  alarm.addAlarmAction(new SnsAction(topic.topic));
  alarm.addOkAction(new SnsAction(topic.topic));
  return alarm;
}
