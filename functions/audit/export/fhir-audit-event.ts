import { parseJsonAs } from '../../common/parse.ts';
import type { EventBody, Outcome } from '../events/event.ts';
import { EventLeaf } from '../events/leaf.ts';
import { bodyOf } from '../events/recorded.ts';
import type { RecordedEvent } from '../ports.ts';
import { agentsOf } from './fhir-agents.ts';
import { type BasicPattern, type Coding, codesOf, entityType, objectRole, sourceType } from './fhir-codes.ts';
import { absent, type FhirAgent, fhirText, identified, type Reference } from './fhir-types.ts';

/** The part of an AuditEvent of FHIR R4 (4.0.1) that is written here. */
export interface FhirAuditEvent {
  readonly resourceType: 'AuditEvent';
  readonly id: string;
  readonly meta?: { readonly profile?: readonly string[]; readonly security?: readonly Coding[] };
  readonly type: Coding;
  readonly subtype?: readonly Coding[];
  readonly action: string;
  readonly period?: { readonly start: string; readonly end: string };
  readonly recorded: string;
  readonly outcome?: string;
  readonly outcomeDesc?: string;
  readonly purposeOfEvent?: readonly { readonly coding: readonly Coding[] }[];
  readonly agent: readonly FhirAgent[];
  readonly source: { readonly site: string; readonly observer: Reference; readonly type?: readonly Coding[] };
  readonly entity: readonly FhirEntity[];
}

interface FhirEntity {
  readonly what?: Reference;
  readonly type: Coding;
  readonly role?: Coding;
  /** Base64. */
  readonly query?: string;
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[];
}

const BALP = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition';

/** An intent has no outcome yet, and what was skipped was not done: FHIR has no code for either, so there is none, and the word says it. */
const outcomes: Record<Outcome, { readonly outcome?: '0' | '4' | '8'; readonly outcomeDesc?: string }> = {
  success: { outcome: '0' },
  denied: { outcome: '4', outcomeDesc: 'denied' },
  failure: { outcome: '8', outcomeDesc: 'failure' },
  pending: { outcomeDesc: 'pending: this is the intent; what came of it is an event of its own' },
  skipped: { outcomeDesc: 'skipped: it was not done' },
};

/**
 * An event as a FHIR R4 AuditEvent. One that succeeded and follows a pattern of IHE BALP claims its profile; the patterns are for success alone, so the others have the same
 * shape and claim none. An erased event says what its leaf says.
 *
 * Its id is made of the event's and of the Region that recorded it: the same in every export, and two for an event that two Regions recorded.
 *
 * @throws InvalidInput when what is stored is no event
 */
export function fhirAuditEvent(event: RecordedEvent): FhirAuditEvent {
  const leaf = parseJsonAs(EventLeaf, event.leaf, `the leaf of event ${event.eventId}`);
  const body = bodyOf(event);
  return body ? whole(event, leaf, body) : erased(event, leaf);
}

function whole(event: RecordedEvent, leaf: EventLeaf, body: EventBody): FhirAuditEvent {
  const { letter, type, subtypes, pattern } = codesOf(body.action);
  const profile =
    pattern && body.outcome === 'success'
      ? `${BALP}/IHE.BasicAudit.${body.patientRef === undefined ? '' : 'Patient'}${pattern}`
      : undefined;
  return {
    resourceType: 'AuditEvent',
    id: idOf(event),
    ...(profile === undefined ? {} : { meta: { profile: [profile] } }),
    type,
    ...(subtypes.length === 0 ? {} : { subtype: subtypes }),
    action: letter,
    period: { start: body.at, end: body.at },
    recorded: event.recordedAt,
    ...outcomes[body.outcome],
    ...(body.purpose === undefined ? {} : { purposeOfEvent: [{ coding: [purposeOf(body.purpose)] }] }),
    agent: agentsOf(body, pattern),
    source: { site: event.region, observer: identified(body.service), type: [sourceType('4', 'Application Server')] },
    entity: [...(body.patientRef === undefined ? [] : [patient(body.patientRef)]), data(body, pattern), recordOf(event, leaf, body)],
  };
}

function erased(event: RecordedEvent, leaf: EventLeaf): FhirAuditEvent {
  const { letter, type, subtypes } = codesOf(leaf.action);
  const { outcome } = outcomes[leaf.outcome];
  return {
    resourceType: 'AuditEvent',
    id: idOf(event),
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED', display: 'redacted' }] },
    type,
    ...(subtypes.length === 0 ? {} : { subtype: subtypes }),
    action: letter,
    recorded: event.recordedAt,
    ...(outcome === undefined ? {} : { outcome }),
    outcomeDesc: `${leaf.outcome}; who did what to what was erased${event.erasedAt ? ` at ${event.erasedAt}` : ''}, the entry of the log is left`,
    agent: [{ who: { ...absent('masked'), display: 'erased' }, requestor: true }],
    source: { site: event.region, observer: identified('codeblue') },
    entity: [recordOf(event, leaf, undefined)],
  };
}

/** At most 64 letters, digits, hyphens and dots. */
const idOf = ({ region, eventId }: RecordedEvent): string => `${eventId}.${region}`;

const purposeOf = (code: string): Coding => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code });

/** The application's id of a patient is no address on a FHIR server, so it is told as an identifier. */
const patient = (patientRef: string): FhirEntity => ({
  what: { type: 'Patient', identifier: { value: patientRef } },
  type: entityType('1', 'Person'),
  role: objectRole('1', 'Patient'),
});

/** A search names what was searched for instead of what was found. */
const data = (body: EventBody, pattern: BasicPattern | undefined): FhirEntity =>
  pattern === 'Query'
    ? { type: entityType('2', 'System Object'), role: objectRole('24', 'Query'), query: Buffer.from(body.resource).toString('base64') }
    : { what: identified(body.resource), type: entityType('2', 'System Object'), role: objectRole('4', 'Domain Resource') };

/** What FHIR has no place for, and what leads back into the log: its entry is the leaf of that id, and commits to the rest. */
function recordOf(event: RecordedEvent, leaf: EventLeaf, body: EventBody | undefined): FhirEntity {
  const told = {
    ...{ action: leaf.action, outcome: leaf.outcome, region: event.region, commitment: leaf.commitment },
    ...(body ? { submittedBy: body.submittedBy, userAgent: body.userAgent, actId: body.actId, phase: body.phase } : {}),
    ...Object.fromEntries(Object.entries(body?.details ?? {}).map(([name, value]) => [`details.${name}`, value])),
  };
  return {
    what: { identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${event.eventId}` } },
    type: entityType('4', 'Other'),
    detail: Object.entries(told).flatMap(([type, value]) =>
      value === undefined ? [] : [{ type: fhirText(type), valueString: fhirText(value) }],
    ),
  };
}
