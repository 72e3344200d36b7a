import { z } from 'zod';
import { Region, timestamp } from '../../common/ids.ts';
import { Severity } from '../../common/incident-policy.ts';
import { parseAs } from '../../common/parse.ts';
import { AlarmName, Signal } from '../models.ts';
import { type Arrival, made } from './signal-made.ts';
import { dedupKeyOf, noteOf } from './signal-parts.ts';
import { regionIn, subjectOf } from './subject-of.ts';

export const codeblueSignal = { source: 'codeblue', detailType: 'Codeblue Signal' } as const;

/** What Codeblue and the system that it works for put on the event bus: whoever may, may do so by IAM. */
const Announced = z.object({
  id: z.string().min(1).max(100),
  region: Region,
  time: z.iso.datetime(),
  detail: z.object({
    action: Signal.shape.action.default('trigger'),
    alarm: AlarmName,
    /** A service, database or Region of the config; the Region of the bus when it is none. */
    subject: z.string(),
    severity: Severity,
    /** When it happened; the event's time when left out. */
    at: z.iso.datetime({ offset: true }).optional(),
    note: z.string().default(''),
  }),
});

/** The signal of an event of Codeblue's own. @throws InvalidInput for an event of the wrong shape */
export function signalOfCodeblue(event: unknown, arrival: Pick<Arrival, 'operations' | 'receivedAt'>): Signal {
  const { id, region, time, detail } = parseAs(Announced, event, 'an event of Codeblue');
  const { action, alarm, severity } = detail;
  const place = regionIn([region], arrival.operations, arrival.operations.regions.primary);
  const subject = subjectOf([detail.subject], arrival.operations, place);
  return made(arrival, {
    signalId: `codeblue/${region}/${id}`,
    source: 'codeblue',
    dedupKey: dedupKeyOf('codeblue', alarm, subject, place),
    ...{ action, alarm, subject, severity, region: place },
    at: timestamp(new Date(detail.at ?? time)),
    note: noteOf([['note', detail.note]]),
  });
}
