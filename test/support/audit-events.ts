import { createHash } from 'node:crypto';
import { eventOfAct } from '../../functions/audit/events/act-event.ts';
import { EventBody, EventId } from '../../functions/audit/events/event.ts';
import { SALT_BYTES } from '../../functions/audit/events/leaf.ts';
import { recordedEvent } from '../../functions/audit/events/recorded.ts';
import { AuditEvent, type RecordedEvent } from '../../functions/audit/ports.ts';
import type { Region } from '../../functions/common/ids.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { home } from './incidents.ts';

/** A UUID for each number. */
export const eventIdOf = (number: number): EventId => EventId.parse(`00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`);

/** What a nurse read, as the client told it: `aBody(7, { outcome: 'denied', at: '2026-11-21T07:00:00Z' })`. */
export function aBody(number: number, given: { readonly [name: string]: unknown } & { readonly at?: string } = {}): EventBody {
  const { at = '2026-11-21T07:00:00Z', ...rest } = given;
  return EventBody.parse({
    ...{ eventId: eventIdOf(number), at: timestamp(new Date(at)), userId: 'nurse-17', action: 'record.read', resource: 'Observation/4711' },
    ...{ outcome: 'success', service: 'hms', submittedBy: 'client', patientRef: 'patient:0815' },
    ...rest,
  });
}

/** The same as it is recorded, a second after it happened. */
export function anEvent(
  number: number,
  given: { readonly [name: string]: unknown } & { readonly at?: string; readonly region?: Region; readonly recordedAt?: string } = {},
): RecordedEvent {
  const { region = home, recordedAt, ...rest } = given;
  const body = aBody(number, rest);
  return recordedEvent({
    ...{ body, region, recordedAt: timestamp(recordedAt ? new Date(recordedAt) : new Date(Date.parse(body.at) + 1000)) },
    salt: new Uint8Array(createHash('sha256').update(`${region} ${number}`).digest().subarray(0, SALT_BYTES)),
  });
}

/** How an act of Codeblue ended, as it is recorded. */
export function anActOf(
  action: string,
  given: Partial<Pick<AuditEvent, 'outcome'>> & { readonly patientRef?: string } = {},
): RecordedEvent {
  const act = AuditEvent.parse({
    ...{ eventId: `${action}:outcome`, actId: action, phase: 'outcome', at: '2026-11-21T07:00:00.000Z', actor: 'cli/alice', action },
    ...{ resource: 'audit-log', region: home, outcome: 'success', details: {}, ...given },
  });
  const salt = new Uint8Array(createHash('sha256').update(action).digest().subarray(0, SALT_BYTES));
  return recordedEvent({ body: eventOfAct(act), region: home, recordedAt: act.at, salt });
}
