import { z } from 'zod';
import { InvalidInput } from '../../common/errors.ts';
import { Region, timestamp } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import { alarmOf } from '../alarms/alarm-name.ts';
import type { AlarmRow } from '../alarms/alarm-row.ts';
import type { Signal } from '../models.ts';
import { type Arrival, made } from './signal-made.ts';
import { dedupKeyOf, noteOf } from './signal-parts.ts';
import { subjectOf } from './subject-of.ts';

/** `2026-11-21T07:00:00.123+0000`, as CloudWatch writes it, and any other ISO 8601. */
const CloudWatchTime = z.string().transform((text, context) => {
  const time = new Date(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (!Number.isNaN(time.getTime())) return timestamp(time);
  context.addIssue({ code: 'custom', message: 'a time in ISO 8601' });
  return z.NEVER;
});

/** What EventBridge tells of a change of an alarm's state, all of it that is looked at. */
const StateChange = z.object({
  region: Region,
  detail: z.object({
    alarmName: z.string(),
    state: z.object({ value: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']), timestamp: CloudWatchTime, reason: z.string().default('') }),
  }),
});
type State = z.output<typeof StateChange>['detail']['state']['value'];

export const alarmStateChange = { source: 'aws.cloudwatch', detailType: 'CloudWatch Alarm State Change' } as const;

/** The row of an alarm in the table of its Region; undefined for an alarm that is not in it (any more). */
export type RowOf = (named: Pick<AlarmRow, 'alarm' | 'subject'>, region: Region) => Pick<AlarmRow, 'missingData' | 'region'> | undefined;

/**
 * The signal of an alarm of this deployment that changed: it stands as of CloudWatch's own time, so changes may come in any order.
 *
 * `INSUFFICIENT_DATA` is what the alarm's rule on missing data says: `breaching` rings, `notBreaching` is well, and under the other two it is not known how things stand, so
 * nothing changes.
 *
 * @returns undefined for a change that tells nothing
 * @throws InvalidInput for an event of the wrong shape, or of an alarm that is not of this deployment
 */
export function signalOfCloudWatch(event: unknown, arrival: Pick<Arrival, 'operations' | 'receivedAt'>, rowOf: RowOf): Signal | undefined {
  const { region: heardIn, detail } = parseAs(StateChange, event, 'a change of an alarm');
  const named = alarmOf(detail.alarmName);
  if (named?.deployment !== arrival.operations.name) throw new InvalidInput('the alarm that changed is none of this deployment');
  const { alarm, severity } = named;
  const row = rowOf(named, heardIn);
  // Each Region that hears of a lost one says the same of it; only the signal itself is of the Region that heard it.
  const region = row?.region ?? heardIn;
  // Somebody may have made an alarm with such a name by hand: of its subject stands in a page what the config knows.
  const subject = row ? named.subject : subjectOf([named.subject], arrival.operations, region);
  const { value, timestamp: at, reason } = detail.state;
  const action = actionOf(value, row?.missingData);
  if (!action) return undefined;
  return made(arrival, {
    signalId: `cloudwatch/${alarm}/${subject}/${heardIn}/${value}/${at}`,
    source: 'cloudwatch',
    action,
    dedupKey: dedupKeyOf('cloudwatch', alarm, subject, region),
    ...{ alarm, subject, region, severity, at },
    note: noteOf([['reason', reason]]),
  });
}

function actionOf(state: State, missingData: AlarmRow['missingData'] | undefined): Signal['action'] | undefined {
  if (state !== 'INSUFFICIENT_DATA') return state === 'ALARM' ? 'trigger' : 'resolve';
  if (missingData === 'breaching') return 'trigger';
  return missingData === 'notBreaching' ? 'resolve' : undefined;
}
