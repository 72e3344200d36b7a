/**
 * What the Basic Audit profiles of IHE BALP 1.1 demand (https://profiles.ihe.net/ITI/BALP), as StructureDefinitions of our own: HL7's validator fetches packages from a
 * registry that a build does not depend on here. Facts only (cardinalities, fixed codes, slices, bindings), told once for each pattern.
 */
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
const BALP = 'https://profiles.ihe.net/ITI/BALP';

type Codes = readonly [system: string, ...codes: string[]];

interface Pattern {
  readonly action: string;
  readonly subtype: Codes;
  readonly client: Codes;
  readonly server: Codes;
  readonly user: Codes;
}

const source: Codes = [DCM, '110153'];
const destination: Codes = [DCM, '110152'];
const recipient: Codes = [PARTICIPATION, 'IRCP'];
const dataSources: Codes = [PARTICIPATION, 'AUT', 'INF', 'CST'];

const patterns: Readonly<Record<string, Pattern>> = {
  Create: { action: 'C', subtype: [INTERACTION, 'create'], client: source, server: destination, user: dataSources },
  Read: { action: 'R', subtype: [INTERACTION, 'read', 'vread'], client: destination, server: source, user: recipient },
  Update: { action: 'U', subtype: [INTERACTION, 'update', 'patch'], client: source, server: destination, user: dataSources },
  Delete: {
    ...{ action: 'D', subtype: [INTERACTION, 'delete'], client: [DCM, '110150'], user: dataSources },
    server: ['http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'custodian'],
  },
  Query: {
    ...{ action: 'E', subtype: [INTERACTION, 'search', 'search-type', 'search-system'] },
    ...{ client: source, server: destination, user: recipient },
  },
};

type Element = Readonly<Record<string, unknown>>;

/** `agent:client.type` is the element `AuditEvent.agent.type` of the slice `client`. */
const element = (id: string, rest: Element): Element => ({
  id: `AuditEvent.${id}`,
  path: `AuditEvent.${id.replace(/:[A-Za-z]+/g, '')}`,
  ...rest,
});

const slicing = (of: string, by: string): Element =>
  element(of, { slicing: { discriminator: [{ type: 'value', path: by }], rules: 'open' } });

const one = { min: 1, max: '1' } as const;

/** One code is a pattern, several are a value set. */
const coded = (codes: Codes, concept: boolean, valueSets: Map<string, object>): Element => {
  const [system, code, ...more] = codes;
  if (more.length === 0) return concept ? { patternCodeableConcept: { coding: [{ system, code }] } } : { patternCoding: { system, code } };
  const url = `urn:codeblue:balp:${codes.slice(1).join('-')}`;
  const include = [{ system, concept: codes.slice(1).map((each) => ({ code: each })) }];
  valueSets.set(url, { resourceType: 'ValueSet', url, status: 'active', compose: { include } });
  return { binding: { strength: 'required', valueSet: url } };
};

function agent(name: 'client' | 'server' | 'user', type: Codes, valueSets: Map<string, object>): readonly Element[] {
  const slice = `agent:${name}`;
  const isUser = name === 'user';
  return [
    element(slice, { sliceName: name, min: isUser ? 0 : 1, max: '1' }),
    element(`${slice}.type`, { min: 1, ...coded(type, true, valueSets) }),
    element(`${slice}.who`, { min: 1 }),
    ...(isUser ? [element(`${slice}.requestor`, { patternBoolean: true })] : []),
    element(`${slice}.media`, { max: '0' }),
    element(`${slice}.network`, isUser ? { max: '0' } : { min: 1 }),
  ];
}

/** Children in the order of the resource, as a differential has them: what comes before `type`, then `type`, then the rest. */
const entitySlice = (name: string, type: string, what: Element, rest: readonly Element[]): readonly Element[] => [
  element(`entity:${name}`, { sliceName: name, ...one }),
  element(`entity:${name}.what`, what),
  element(`entity:${name}.type`, { min: 1, patternCoding: { system: ENTITY_TYPE, code: type } }),
  ...rest,
];

const data = (valueSets: Map<string, object>): readonly Element[] =>
  entitySlice('data', '2', { min: 1 }, [
    element('entity:data.role', { min: 1, ...coded([OBJECT_ROLE, '4', '3', '20'], false, valueSets) }),
  ]);

const query = entitySlice('query', '2', { max: '0' }, [
  element('entity:query.role', { min: 1, patternCoding: { system: OBJECT_ROLE, code: '24' } }),
  element('entity:query.lifecycle', { max: '0' }),
  element('entity:query.query', { min: 1 }),
  element('entity:query.detail', { max: '0' }),
]);

const onlyPatients = { min: 1, type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Patient'] }] };
const patient = entitySlice('patient', '1', onlyPatients, [
  element('entity:patient.role', { min: 1, patternCoding: { system: OBJECT_ROLE, code: '1' } }),
]);

const definition = (name: string, base: string, elements: readonly Element[]): object => ({
  resourceType: 'StructureDefinition',
  id: `IHE.BasicAudit.${name}`,
  url: `${BALP}/StructureDefinition/IHE.BasicAudit.${name}`,
  ...{ name: name, status: 'active', fhirVersion: '4.0.1', kind: 'resource', abstract: false, type: 'AuditEvent' },
  ...{ baseDefinition: base, derivation: 'constraint', differential: { element: elements } },
});

function profilesOf(name: string, { action, subtype, client, server, user }: Pattern, valueSets: Map<string, object>): readonly object[] {
  const basic = definition(name, 'http://hl7.org/fhir/StructureDefinition/AuditEvent', [
    element('type', { patternCoding: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' } }),
    { ...slicing('subtype', '$this'), min: 1 },
    element('subtype:any', { sliceName: 'any', ...one, ...coded(subtype, false, valueSets) }),
    element('action', { min: 1, patternCode: action }),
    element('outcome', { min: 1, patternCode: '0' }),
    { ...slicing('agent', 'type'), min: 2 },
    ...[agent('client', client, valueSets), agent('server', server, valueSets), agent('user', user, valueSets)].flat(),
    { ...slicing('entity', 'type'), min: 1 },
    ...(name === 'Query' ? query : data(valueSets)),
  ]);
  const ofPatient = definition(`Patient${name}`, `${BALP}/StructureDefinition/IHE.BasicAudit.${name}`, [
    element('entity', { min: name === 'Query' ? 1 : 2 }),
    ...patient,
  ]);
  return [basic, ofPatient];
}

/** A Bundle of the ten profiles and the value sets that they are bound to. */
export function balpDefinitions(): object {
  const valueSets = new Map<string, object>();
  const profiles = Object.entries(patterns).flatMap(([name, pattern]) => profilesOf(name, pattern, valueSets));
  return { resourceType: 'Bundle', type: 'collection', entry: [...profiles, ...valueSets.values()].map((resource) => ({ resource })) };
}
