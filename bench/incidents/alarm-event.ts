import { randomUUID } from 'node:crypto';
import type { Severity } from '../../functions/common/incident-policy.ts';
import { alarmNameOf } from '../../functions/incidents/alarms/alarm-name.ts';
import { AlarmName, Subject } from '../../functions/incidents/models.ts';

export interface AlarmChange {
  readonly alarm: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly rings: boolean;
  readonly at: Date;
}

/** What EventBridge puts into the queue when an alarm of the deployment `lab` changes, with the fields that CloudWatch sends. */
export function alarmEvent({ alarm, subject, severity, rings, at }: AlarmChange): string {
  const alarmName = alarmNameOf({ deployment: 'lab', alarm: AlarmName.parse(alarm), subject: Subject.parse(subject), severity });
  const time = at.toISOString().replace('Z', '+0000');
  const state = (value: string) => ({
    value,
    reason: 'Threshold Crossed: 5 out of the last 5 datapoints were greater than the threshold (80.0).',
    reasonData: JSON.stringify({
      version: '1.0',
      queryDate: time,
      statistic: 'Maximum',
      period: 60,
      recentDatapoints: [91, 92, 95, 93, 97],
      threshold: 80,
    }),
    timestamp: time,
  });
  return JSON.stringify({
    version: '0',
    id: randomUUID(),
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account: '000000000000',
    time,
    region: 'us-east-1',
    resources: [`arn:aws:cloudwatch:us-east-1:000000000000:alarm:${alarmName}`],
    detail: {
      alarmName,
      state: state(rings ? 'ALARM' : 'OK'),
      previousState: state(rings ? 'OK' : 'ALARM'),
      configuration: { description: `${alarm} of ${subject}`, metrics: [] },
    },
  });
}

/** The id that the door gives to it: what triage recorded of it is found by that. */
export const signalIdOf = ({ alarm, subject, rings, at }: AlarmChange): string =>
  `cloudwatch/${alarm}/${subject}/us-east-1/${rings ? 'ALARM' : 'OK'}/${at.toISOString()}`;
