import { createHash } from 'node:crypto';
import { EventBody, purposesOfUse, standardActions } from '../../functions/audit/events/event.ts';
import { recordedEvent } from '../../functions/audit/events/recorded.ts';
import { type FhirAuditEvent, fhirAuditEvent } from '../../functions/audit/export/fhir-audit-event.ts';
import type { RecordedEvent } from '../../functions/audit/ports.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';

const region = Region.parse('us-east-1');
const at = '2026-11-21T07:00:00.000Z';

const full = {
  ...{ ipAddress: '10.1.2.3', userAgent: 'Ward/1.0 (Windows)', patientRef: 'patient_0001:a' },
  details: { ward: 'A 3', beds: 2, empty: '', blank: ' ', nothing: null, lines: 'a\nb' },
};

let made = 0;
function event(given: Readonly<Record<string, unknown>>): RecordedEvent {
  const digest = createHash('sha256').update(String(++made)).digest();
  const eventId = digest.toString('hex').replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
  const standard = { at, userId: 'u-17', resource: 'Observation/obs-1', outcome: 'success', service: 'ehr', submittedBy: 'bus' };
  const body = EventBody.parse({ ...standard, ...given, eventId });
  return recordedEvent({ body, region, recordedAt: timestamp(new Date('2026-11-21T07:00:01Z')), salt: digest });
}

/** What the export can be asked for: every action, with and without a patient, every outcome, every purpose, erased ones, and Codeblue's own. */
export function judgedEvents(): readonly RecordedEvent[] {
  const actions = [...standardActions, 'audit.read', 'audit.erase', 'billing.close'];
  const erased = ({ body: _, salt: __, ...rest }: RecordedEvent): RecordedEvent => ({
    ...rest,
    erasedAt: timestamp(new Date('2026-11-22T07:00:00Z')),
  });
  return [
    ...actions.flatMap((action) => [event({ action }), event({ action, ...full })]),
    ...(['denied', 'failure', 'pending', 'skipped'] as const).flatMap((outcome) => [event({ action: 'record.read', outcome, ...full })]),
    ...purposesOfUse.map((purpose) => event({ action: 'record.read', purpose, ...full })),
    ...(['success', 'denied', 'failure', 'pending', 'skipped'] as const).map((outcome) =>
      erased(event({ action: 'record.update', outcome, ...full })),
    ),
    event({ action: 'record.read', resource: ' ', userId: ' ', userAgent: ' ' }),
    event({ action: 'sign-in', submittedBy: 'codeblue', service: 'codeblue', actId: 'a-1', phase: 'intent', outcome: 'pending' }),
  ];
}

type Damage = readonly [string, (resource: FhirAuditEvent) => object];

/** Ways in which a resource of a pattern is none: a judge that takes one of them judges nothing. */
const damages: readonly Damage[] = [
  ['another letter', (resource) => ({ ...resource, action: 'X' })],
  ['the letter of another pattern', (resource) => ({ ...resource, action: resource.action === 'R' ? 'U' : 'R' })],
  ['no subtype', ({ subtype: _, ...resource }) => resource],
  ['another type', (resource) => ({ ...resource, type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110100' } })],
  ['the outcome of a failure', (resource) => ({ ...resource, outcome: '8' })],
  ['no program before the user', (resource) => ({ ...resource, agent: resource.agent.filter((_, index) => index !== 1) })],
  ['no address of a program', (resource) => ({ ...resource, agent: resource.agent.map(({ network: _, ...agent }) => agent) })],
  [
    'an agent of whom nobody knows whether it asked',
    (resource) => ({ ...resource, agent: resource.agent.map(({ requestor: _, ...agent }) => agent) }),
  ],
  ['no patient', (resource) => ({ ...resource, entity: resource.entity.filter(({ type }) => type.code !== '1') })],
  ['no object', (resource) => ({ ...resource, entity: resource.entity.filter(({ type }) => type.code !== '2') })],
  ['a field that there is none of', (resource) => ({ ...resource, severity: 'low' })],
  [
    'a profile that there is none of',
    (resource) => ({ ...resource, meta: { profile: ['https://profiles.ihe.net/ITI/BALP/StructureDefinition/Other'] } }),
  ],
];

/** Each damage of one resource of each pattern. */
export function damagedResources(): readonly { readonly says: string; readonly resource: object }[] {
  return ['record.create', 'record.read', 'record.update', 'record.delete', 'record.search'].flatMap((action) => {
    const resource = fhirAuditEvent(event({ action, ...full }));
    return damages.map(([says, damage]) => ({ says: `${action} with ${says}`, resource: damage(resource) }));
  });
}
