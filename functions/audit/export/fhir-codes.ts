import type { standardActions } from '../events/event.ts';

export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

/** What FHIR R4 says of an action: the letter, the kind of event, and which of the Basic Audit patterns (IHE BALP 1.1) it follows, if one. */
export interface ActionCodes {
  readonly letter: 'C' | 'R' | 'U' | 'D' | 'E';
  readonly type: Coding;
  readonly subtypes: readonly Coding[];
  readonly pattern?: BasicPattern;
}

export type BasicPattern = 'Create' | 'Read' | 'Update' | 'Delete' | 'Query';

const coding =
  (system: string) =>
  (code: string, display: string): Coding => ({ system, code, display });

/** PS3.16 of DICOM, in the words that R4 has for it. */
export const dicom = coding('http://dicom.nema.org/resources/ontology/DCM');
export const entityType = coding('http://terminology.hl7.org/CodeSystem/audit-entity-type');
export const objectRole = coding('http://terminology.hl7.org/CodeSystem/object-role');
export const participation = coding('http://terminology.hl7.org/CodeSystem/v3-ParticipationType');
export const participant = coding('http://terminology.hl7.org/CodeSystem/provenance-participant-type');
export const sourceType = coding('http://terminology.hl7.org/CodeSystem/security-source-type');
const lifecycle = coding('http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle');
const interaction = coding('http://hl7.org/fhir/restful-interaction');
const rest = coding('http://terminology.hl7.org/CodeSystem/audit-event-type')('rest', 'RESTful Operation');

/** The patterns fix type, subtype and letter. */
const following = (pattern: BasicPattern): ActionCodes => ({ ...patterns[pattern], type: rest, pattern });

const patterns: Record<BasicPattern, Pick<ActionCodes, 'letter' | 'subtypes'>> = {
  Create: { letter: 'C', subtypes: [interaction('create', 'create')] },
  Read: { letter: 'R', subtypes: [interaction('read', 'read')] },
  Update: { letter: 'U', subtypes: [interaction('update', 'update')] },
  Delete: { letter: 'D', subtypes: [interaction('delete', 'delete')] },
  Query: { letter: 'E', subtypes: [interaction('search', 'search')] },
};

const activity = dicom('110100', 'Application Activity');
const auditLogUsed = dicom('110101', 'Audit Log Used');
const exported = dicom('110106', 'Export');
const securityAlert = dicom('110113', 'Security Alert');
const authentication = dicom('110114', 'User Authentication');
const userAttributes = dicom('110137', 'User security Attributes Changed');

const event = (letter: ActionCodes['letter'], type: Coding, ...subtypes: readonly Coding[]): ActionCodes => ({ letter, type, subtypes });

const ofStandard: Record<(typeof standardActions)[number], ActionCodes> = {
  'record.create': following('Create'),
  'record.read': following('Read'),
  'record.update': following('Update'),
  'record.delete': following('Delete'),
  'record.search': following('Query'),
  'record.print': event('R', exported, lifecycle('report', 'Report (Output) Record Lifecycle Event')),
  'record.export': event('R', exported, lifecycle('extract', 'Extract Record Lifecycle Event')),
  'record.import': event('C', dicom('110107', 'Import'), lifecycle('receive', 'Receive/Retain Record Lifecycle Event')),
  'record.disclose': event('R', exported, lifecycle('disclose', 'Disclose Record Lifecycle Event')),
  'record.amend': following('Update'),
  'record.sign': event('U', lifecycle('attest', 'Attest Record Lifecycle Event')),
  'emergency-access': event('E', securityAlert, dicom('110127', 'Emergency Override Started')),
  'consent.give': following('Create'),
  'consent.withdraw': following('Update'),
  'order.place': following('Create'),
  'order.cancel': following('Update'),
  'sign-in': event('E', authentication, dicom('110122', 'Login')),
  'sign-in-failed': event('E', authentication, dicom('110122', 'Login')),
  'sign-out': event('E', authentication, dicom('110123', 'Logout')),
  'permission.grant': event('U', securityAlert, dicom('110136', 'Security Roles Changed')),
  'permission.revoke': event('U', securityAlert, dicom('110136', 'Security Roles Changed')),
  'user.create': event('C', securityAlert, userAttributes),
  'user.disable': event('U', securityAlert, userAttributes),
  'password.change': event('U', securityAlert, userAttributes),
  'configuration.change': event('U', securityAlert, dicom('110131', 'Software Configuration')),
  'report.run': event('E', activity, lifecycle('report', 'Report (Output) Record Lifecycle Event')),
  'service.start': event('E', activity, dicom('110120', 'Application Start')),
  'service.stop': event('E', activity, dicom('110121', 'Application Stop')),
  'process.execute': event('E', activity),
};

const byAction = new Map<string, ActionCodes>([
  ...Object.entries(ofStandard),
  ['audit.read', event('R', auditLogUsed)],
  ['audit.erase', event('D', auditLogUsed, lifecycle('destroy', 'Destroy/Delete Record Lifecycle Event'))],
]);

/** Actions of the config and of Codeblue's own code have no code of their own in FHIR: an activity of an application, whose word is among the details. */
export const codesOf = (action: string): ActionCodes => byAction.get(action) ?? event('E', activity);
