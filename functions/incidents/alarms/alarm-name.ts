import { Severity } from '../../common/incident-policy.ts';
import { AlarmName, Subject } from '../models.ts';

/** What the name of an alarm in CloudWatch says. */
export interface NamedAlarm {
  readonly deployment: string;
  /** The kind of alarm: the name of its page in docs/runbooks. */
  readonly alarm: AlarmName;
  readonly subject: Subject;
  readonly severity: Severity;
}

/**
 * `hms-codeblue-s1-ServiceDown-patients`: the alarm that tells people. The severity stands before everything that differs, so that a rule on the prefix
 * `hms-codeblue-s1-` takes all of severity 1 and nothing else.
 */
export const alarmNameOf = ({ deployment, severity, alarm, subject }: NamedAlarm): string =>
  `${tellingPrefix(deployment, severity)}${alarm}-${subject}`;

/** What the names of all alarms of a severity begin with: for EventBridge rules. */
export const tellingPrefix = (deployment: string, severity: Severity): string => `${deployment}-codeblue-s${severity}-`;

/** An alarm on the pager itself goes to the alarm topic past the pager: no rule on a severity takes it, so it never becomes an incident that the broken pager would tell of. */
export const pagerAlarmNameOf = ({ deployment, severity, alarm, subject }: NamedAlarm): string =>
  `${deployment}-codeblue-pager-s${severity}-${alarm}-${subject}`;

/** The alarm that only watches, where a composite alarm of the name above decides whether people are told. No rule on a severity takes it. */
export const watchingNameOf = ({ deployment, alarm, subject }: Omit<NamedAlarm, 'severity'>): string =>
  `${deployment}-codeblue-watched-${alarm}-${subject}`;

/** One part of a name begins with a capital letter, the alarm; deployment and subject have none. So a name can be read in one way only. */
const telling = /^([a-z][a-z0-9-]*)-codeblue-s([1-4])-([A-Z][A-Za-z0-9]*)-(.+)$/;

/** Reads a name back. Undefined for what no incident is opened for: alarms that only watch, those on the pager itself, those of others. */
export function alarmOf(alarmName: string): NamedAlarm | undefined {
  const [, deployment, level, ...named] = telling.exec(alarmName) ?? [];
  if (deployment === undefined) return undefined;
  const severity = Severity.safeParse(Number(level));
  const alarm = AlarmName.safeParse(named[0]);
  const subject = Subject.safeParse(named[1]);
  if (!severity.success || !alarm.success || !subject.success) return undefined;
  return { deployment, alarm: alarm.data, subject: subject.data, severity: severity.data };
}
