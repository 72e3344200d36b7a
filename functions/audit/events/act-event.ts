import { createHash } from 'node:crypto';
import { Region } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import { AuditEvent } from '../ports.ts';
import { EventBody, EventId } from './event.ts';

/** What applications know Codeblue by. */
const CODEBLUE = 'codeblue';

/** Details that say what an act has and an event has no field for. */
const ACT_EVENT = 'codeblue.event';
const ACT_REGION = 'codeblue.region';

const LONGEST = { line: { userId: 128, resource: 500 }, detailName: 64, detail: 4096 } as const;

/**
 * An act of Codeblue as an event, which then goes the way of all. Its id follows from the act's, so that telling an act again is telling the event again. What no event may
 * hold (line breaks in a name, details of more than 4096 characters) is put into form or cut off: no act fails for the length of its reasons.
 */
export function eventOfAct(act: AuditEvent): EventBody {
  const details = Object.entries(act.details).map(
    ([name, value]) => [cut(name, LONGEST.detailName), typeof value === 'string' ? cut(value, LONGEST.detail) : value] as const,
  );
  const body = {
    eventId: eventIdOfAct(act.eventId),
    at: act.at,
    userId: line(act.actor, LONGEST.line.userId),
    action: act.action,
    resource: line(act.resource, LONGEST.line.resource),
    outcome: act.outcome,
    service: CODEBLUE,
    submittedBy: CODEBLUE,
    actId: act.actId,
    phase: act.phase,
    ...(act.patientRef === undefined ? {} : { patientRef: act.patientRef }),
    details: { ...Object.fromEntries(details), [ACT_EVENT]: act.eventId, [ACT_REGION]: act.region },
  };
  return parseAs(EventBody, body, `the event of act ${act.eventId}`);
}

/** The act that an event tells of; undefined for those of applications. */
export function actOfEvent(body: EventBody): AuditEvent | undefined {
  if (body.submittedBy !== CODEBLUE || body.actId === undefined || body.phase === undefined) return undefined;
  const { [ACT_EVENT]: eventId, [ACT_REGION]: region, ...details } = body.details ?? {};
  const { actId, phase, at, action, resource, outcome, patientRef } = body;
  const act = {
    ...{ eventId, actId, phase, at, actor: body.userId, action, resource, region: Region.parse(region), outcome, details },
    ...(patientRef === undefined ? {} : { patientRef }),
  };
  return parseAs(AuditEvent, act, `the act of event ${body.eventId}`);
}

/** Whether an event is an act of Codeblue: no application can give an id of this version. */
export const isOwnEventId = (eventId: EventId): boolean => eventId.charAt(14) === '8';

/** A UUID of version 8 (RFC 9562): the first bits of a SHA-256. */
function eventIdOfAct(actEventId: string): EventId {
  const bytes = createHash('sha256').update('codeblue-act-event/1\n').update(actEventId).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return EventId.parse(bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
}

const cut = (text: string, longest: number): string => text.slice(0, longest).toWellFormed();

const line = (text: string, longest: number): string => cut(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' '), longest);
