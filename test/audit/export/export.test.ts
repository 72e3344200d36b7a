import { describe, expect, test } from 'vitest';
import { CanonicalBody, EventBody, purposesOfUse, standardActions } from '../../../functions/audit/events/event.ts';
import { canonicalJson, commitmentTo, EventLeaf } from '../../../functions/audit/events/leaf.ts';
import { exportCsv } from '../../../functions/audit/export/csv.ts';
import { exportFhirBundle, exportFhirNdjson } from '../../../functions/audit/export/fhir.ts';
import { fhirAuditEvent } from '../../../functions/audit/export/fhir-audit-event.ts';
import { exportNdjson } from '../../../functions/audit/export/ndjson.ts';
import type { RecordedEvent } from '../../../functions/audit/ports.ts';
import { Region, timestamp } from '../../../functions/common/ids.ts';
import { anEventId, aRecordedEvent } from '../../support/audit-world.ts';

const region = Region.parse('us-east-1');
const at = timestamp(new Date('2026-11-22T00:00:00Z'));

async function* of(...events: readonly RecordedEvent[]) {
  yield* events;
}

async function text(parts: AsyncIterable<string>): Promise<string> {
  let whole = '';
  for await (const part of parts) whole += part;
  return whole;
}

const erasedOf = ({ body: _, salt: __, ...rest }: RecordedEvent): RecordedEvent => ({ ...rest, erasedAt: at });

/** Fields of one CSV text after RFC 4180, by a reader that knows nothing of the writer. */
function parseCsv(csv: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  for (let rest = csv; rest !== ''; ) {
    const [all = '', quoted, plain = '', end = ''] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest) ?? [];
    if (all === '') throw new Error(`no field begins at ${JSON.stringify(rest.slice(0, 20))}`);
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
    rest = rest.slice(all.length);
  }
  return rows.slice(0, -1);
}

async function csvOf(event: RecordedEvent): Promise<Readonly<Record<string, string>>> {
  const [header = [], row = []] = parseCsv(await text(exportCsv(of(event))));
  expect(row).toHaveLength(header.length);
  return Object.fromEntries(header.map((name, column) => [name, row[column] ?? '']));
}

describe('NDJSON', () => {
  test('has leaf, body and salt, so that whoever has it can compute the commitment again', async () => {
    const event = aRecordedEvent(region, { userAgent: 'Wärd "1"', details: { ward: 'A 3', beds: 2 } });
    const lines = (await text(exportNdjson(of(event, event)))).split('\n');
    expect(lines).toHaveLength(3);
    const { leaf, body, salt, ...rest } = JSON.parse(lines[0] ?? '');
    expect(rest).toEqual({ region, eventId: event.eventId, recordedAt: event.recordedAt });
    expect(commitmentTo(canonicalJson(EventBody.parse(body)), Buffer.from(salt, 'base64'))).toBe(EventLeaf.parse(leaf).commitment);
  });

  test('of an erased event has its leaf and when it was erased', async () => {
    const { leaf, ...rest } = JSON.parse(await text(exportNdjson(of(erasedOf(aRecordedEvent(region))))));
    expect(Object.keys(rest)).toEqual(['region', 'eventId', 'recordedAt', 'erasedAt']);
    expect(EventLeaf.parse(leaf).action).toBe('record.read');
  });
});

describe('an event that somebody changed in the table', () => {
  const event = aRecordedEvent(region, { patientRef: 'patient-1' });
  const forgedLine = `{"format":"x"}}\n${JSON.stringify({ region, eventId: anEventId('forged') })}\n{"leaf":{}`;
  test.each([
    ['a leaf that ends its line', { leaf: forgedLine }],
    ['a body that ends its line', { body: CanonicalBody.parse(forgedLine) }],
    ['a body with a line of its own', { body: CanonicalBody.parse(`{"x":[\n{"eventId":"${anEventId('forged')}"}\n]}`) }],
    ['a body that closes what is around it', { body: CanonicalBody.parse('{}},{"forged":{}') }],
    ['a body that is no JSON', { body: CanonicalBody.parse('patient-1') }],
  ])('to %s is in no export, and stops it without a word of it', async (_, change) => {
    for (const format of [exportNdjson, exportCsv, exportFhirNdjson]) {
      const refusal = await text(format(of({ ...event, ...change }))).catch((error: Error) => `${error.name}: ${error.message}`);
      expect(refusal).toContain(event.eventId);
      expect(refusal).toMatch(/^InvalidInput/);
      expect(refusal).not.toMatch(/patient-1|forged/);
    }
  });
});

describe('CSV', () => {
  test('has a header, a line for each, CRLF after each, and quotes where they are needed', async () => {
    const csv = await text(exportCsv(of(aRecordedEvent(region, { userId: 'u "17", night', details: { note: 'a\nb' } }))));
    expect(csv.split('\r\n')).toHaveLength(3);
    expect(csv).toContain('"u ""17"", night"');
    const [, row] = parseCsv(csv);
    expect(row).toContain('{"note":"a\\nb"}');
  });

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '=HYPERLINK("http://example.org","click")'])(
    'does not let %s be a formula',
    async (userId) => {
      expect((await csvOf(aRecordedEvent(region, { userId }))).userId).toBe(`'${userId}`);
    },
  );

  test('leaves what is no formula as it was', async () => {
    expect(await csvOf(aRecordedEvent(region, { userId: 'a=1', ipAddress: '::1' }))).toMatchObject({ userId: 'a=1', ipAddress: '::1' });
  });

  test('of an erased event has what its leaf says', async () => {
    const row = await csvOf(erasedOf(aRecordedEvent(region, { outcome: 'denied', patientRef: 'patient-1' })));
    expect(row).toMatchObject({ action: 'record.read', outcome: 'denied', erasedAt: at, userId: '', patientRef: '', details: '' });
  });
});

describe('a FHIR AuditEvent', () => {
  const profileOf = (given: Parameters<typeof aRecordedEvent>[1]) =>
    fhirAuditEvent(aRecordedEvent(region, given)).meta?.profile?.[0]?.split('/').at(-1);

  test.each([
    ['record.create', 'Create', 'C'],
    ['record.read', 'Read', 'R'],
    ['record.update', 'Update', 'U'],
    ['record.delete', 'Delete', 'D'],
    ['record.search', 'Query', 'E'],
    ['order.place', 'Create', 'C'],
    ['consent.withdraw', 'Update', 'U'],
  ])('of %s claims the pattern %s, with a patient that of a patient', (action, pattern, letter) => {
    expect(profileOf({ action })).toBe(`IHE.BasicAudit.${pattern}`);
    expect(profileOf({ action, patientRef: 'patient-1' })).toBe(`IHE.BasicAudit.Patient${pattern}`);
    expect(fhirAuditEvent(aRecordedEvent(region, { action })).action).toBe(letter);
  });

  test.each(['denied', 'failure', 'pending', 'skipped'] as const)('that is %s claims none: the patterns are for success', (outcome) => {
    expect(profileOf({ outcome })).toBeUndefined();
  });

  test.each([
    ['success', '0', undefined],
    ['denied', '4', 'denied'],
    ['failure', '8', 'failure'],
    ['pending', undefined, expect.stringContaining('intent')],
    ['skipped', undefined, expect.stringContaining('not done')],
  ] as const)('tells %s as %s', (outcome, code, words) => {
    const told = fhirAuditEvent(aRecordedEvent(region, { outcome }));
    expect([told.outcome, told.outcomeDesc]).toEqual([code, words]);
  });

  test('says who, by what, from where, what for, to what of whom, and when', () => {
    const given = {
      userAgent: 'Ward/1.0',
      ipAddress: '10.1.2.3',
      purpose: 'TREAT',
      patientRef: 'patient-1',
      details: { beds: 2, note: ' ' },
    } as const;
    const { recorded, period, agent, source, entity, purposeOfEvent } = fhirAuditEvent(aRecordedEvent(region, given));
    expect({ recorded, period }).toEqual({
      recorded: '2026-11-21T11:00:01.000Z',
      period: { start: '2026-11-21T11:00:00.000Z', end: '2026-11-21T11:00:00.000Z' },
    });
    expect(agent.map(({ type, who, requestor, network }) => [type?.coding[0]?.code, who, requestor, network])).toEqual([
      ['IRCP', { identifier: { value: 'u-17' } }, true, undefined],
      ['110152', { display: 'Ward/1.0' }, false, { address: '10.1.2.3', type: '2' }],
      ['110153', { identifier: { value: 'ehr' } }, false, { address: 'ehr', type: '1' }],
    ]);
    expect(source).toMatchObject({ site: 'us-east-1', observer: { identifier: { value: 'ehr' } } });
    expect(purposeOfEvent).toEqual([{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' }] }]);
    expect(entity.map(({ type, role, what }) => [type.code, role?.code, what])).toEqual([
      ['1', '1', { type: 'Patient', identifier: { value: 'patient-1' } }],
      ['2', '4', { identifier: { value: 'Observation/o-1' } }],
      ['4', undefined, { identifier: { system: 'urn:ietf:rfc:3986', value: expect.stringMatching(/^urn:uuid:/) } }],
    ]);
    expect(entity[2]?.detail).toContainEqual({ type: 'details.beds', valueString: '2' });
    expect(entity[2]?.detail).toContainEqual({ type: 'details.note', valueString: '" "' });
  });

  test('of a search has what was searched for, and no object', () => {
    const [query] = fhirAuditEvent(aRecordedEvent(region, { action: 'record.search', resource: 'Patient?birthdate=1970' })).entity;
    expect([query?.what, Buffer.from(query?.query ?? '', 'base64').toString()]).toEqual([undefined, 'Patient?birthdate=1970']);
  });

  test('has the same id in every export, and another for the record of another Region', () => {
    const [event, there] = [region, Region.parse('us-west-2')].map((each) =>
      fhirAuditEvent(aRecordedEvent(each, { eventId: anEventId(1) })),
    );
    expect(event?.id).toBe(`${anEventId(1)}.us-east-1`);
    expect(there?.id).toBe(`${anEventId(1)}.us-west-2`);
    expect(event?.id).toMatch(/^[A-Za-z0-9\-.]{1,64}$/);
  });

  test('that is erased says what its leaf says and nothing else', () => {
    const given = { patientRef: 'patient-1', userId: 'u-secret', ipAddress: '10.1.2.3', details: { ward: 'A 3' } } as const;
    const { meta, agent, outcomeDesc, entity } = fhirAuditEvent(erasedOf(aRecordedEvent(region, given)));
    expect({ meta, who: agent.map(({ who }) => who), entities: entity.length }).toMatchObject({
      meta: { security: [{ code: 'REDACTED' }] },
      who: [{ extension: [{ valueCode: 'masked' }] }],
      entities: 1,
    });
    expect(outcomeDesc).toContain(`erased at ${at}`);
    expect(JSON.stringify({ agent, entity })).not.toMatch(/patient-1|u-secret|10\.1\.2\.3|A 3|o-1/);
  });

  test('of an act of the config, or of Codeblue, is an activity whose word is among the details', () => {
    const { type, subtype, entity } = fhirAuditEvent(aRecordedEvent(region, { action: 'billing.close' }));
    expect([type.code, subtype]).toEqual(['110100', undefined]);
    expect(entity.at(-1)?.detail).toContainEqual({ type: 'action', valueString: 'billing.close' });
    expect(fhirAuditEvent(aRecordedEvent(region, { action: 'audit.read' })).type.code).toBe('110101');
  });

  test.each([...standardActions])('knows %s', (action) => {
    const { type, action: letter } = fhirAuditEvent(aRecordedEvent(region, { action, purpose: purposesOfUse[0] }));
    expect([letter.length, type.system, type.code]).toEqual([1, expect.stringMatching(/^http/), expect.stringMatching(/./)]);
  });
});

describe('a FHIR export', () => {
  test('as lines has one resource a line', async () => {
    const lines = (await text(exportFhirNdjson(of(aRecordedEvent(region), aRecordedEvent(region, { userId: 'b' }))))).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).resourceType)).toEqual(['AuditEvent', 'AuditEvent']);
  });

  test('as a Bundle is one document whose entries have names of their own', async () => {
    const bundle = JSON.parse(await text(exportFhirBundle(of(aRecordedEvent(region), aRecordedEvent(Region.parse('us-west-2'))), at)));
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'collection', timestamp: at });
    const urls = bundle.entry.map(({ fullUrl }: { fullUrl: string }) => fullUrl);
    expect([urls.length, new Set(urls).size]).toEqual([2, 2]);
    for (const url of urls) expect(url).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('of nothing is a Bundle without entries, for FHIR knows no empty list', async () => {
    expect(JSON.parse(await text(exportFhirBundle(of(), at)))).toEqual({ resourceType: 'Bundle', type: 'collection', timestamp: at });
  });
});

test('every export reads on only as fast as it is read', async () => {
  for (const exported of [
    exportNdjson,
    exportCsv,
    exportFhirNdjson,
    (events: AsyncIterable<RecordedEvent>) => exportFhirBundle(events, at),
  ]) {
    let read = 0;
    const endless = (async function* () {
      for (;;) {
        read += 1;
        yield aRecordedEvent(region);
      }
    })();
    let parts = 0;
    for await (const _ of exported(endless)) if (++parts === 5) break;
    expect(read).toBeLessThanOrEqual(5);
  }
});
