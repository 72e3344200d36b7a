import { describe, expect, test } from 'vitest';
import { eraseEvents } from '../../../functions/audit/erase/erase-events.ts';
import { planErasure } from '../../../functions/audit/erase/plan-erasure.ts';
import { actLog } from '../../../functions/audit/events/act-log.ts';
import { EventId, PatientRef } from '../../../functions/audit/events/event.ts';
import { commitmentTo, EventLeaf } from '../../../functions/audit/events/leaf.ts';
import { openNote, verifierKey } from '../../../functions/audit/log/checkpoint.ts';
import { leafHash } from '../../../functions/audit/log/merkle.ts';
import { inclusionProof, isIncluded } from '../../../functions/audit/log/proofs.ts';
import type { RecordedEvent } from '../../../functions/audit/ports.ts';
import { readEvents, streamEvents } from '../../../functions/audit/query/read-events.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { type Region, timestamp } from '../../../functions/common/ids.ts';
import { auditLogOrigin } from '../../../functions/common/names.ts';
import { regionsOf } from '../../../functions/common/operations-lookup.ts';
import { memoryAuditEvents } from '../../../functions/memory/audit/events.ts';
import { failable } from '../../../functions/memory/failable.ts';
import { anEventId, auditWorld } from '../../support/audit-world.ts';
import { anIncident } from '../../support/incidents.ts';

const reader = { by: 'cli/lab/alice', purpose: 'an erasure' } as const;
const erasure = { by: 'cli/lab/alice', reason: 'request 4711', basis: 'GDPR Art. 17(1)(b)' } as const;
const patientRef = PatientRef.parse('patient-1');

function erasingWorld() {
  const world = auditWorld();
  const { ports: given, clock, region, operations } = world;
  const ports = { ...given, clock, region, regions: regionsOf(operations) };
  /** What a process in that Region reads with. */
  const readingPorts = (at: Region) => {
    const auditEvents = failable(memoryAuditEvents({ store: world.store, region: at }));
    return { auditEvents, auditLog: actLog({ auditEvents, clock, region: at }), clock, region: at };
  };
  /** All that is kept anywhere. */
  const everything = () =>
    ['audit-recorded', 'audit-acts', ...regionsOf(operations).flatMap((at) => [`audit-waiting-${at}`, `audit-leaves-${at}`])].map(
      (collection) => world.store.list(collection),
    );
  const stored = async ({ region: of, eventId }: RecordedEvent) => (await ports.auditEvents.get([{ region: of, eventId }]))[0];
  return { ...world, ports, stored, readingPorts, everything };
}

/** Whether the published log holds this leaf where its place is, by a proof computed from the tiles now. */
async function isProven({ ports, operations, region }: ReturnType<typeof erasingWorld>, event: RecordedEvent): Promise<boolean> {
  const place = await ports.auditQueue.place(event.eventId);
  if (!place) return false;
  const read = (path: string) => ports.auditObjects.get(region, `${place.generation}/${path}`);
  const origin = auditLogOrigin(operations, region, place.generation);
  const key = verifierKey(origin, await ports.checkpointSigner.publicKey(region, place.generation));
  const { size, root } = openNote(Buffer.from((await read('checkpoint')) ?? []).toString(), key);
  const proof = await inclusionProof(read, place.index, size);
  return isIncluded({ leafHash: leafHash(Buffer.from(event.leaf)), index: place.index, size, root, proof });
}

describe('the plan of an erasure', () => {
  test('by patient names every event of that patient, of every Region and time, and no others', async () => {
    const { ports, record, recordElsewhere } = erasingWorld();
    await record({ patientRef: 'patient-1', at: '2020-01-01T00:00:00.000Z' });
    await record({ patientRef: 'patient-1', action: 'record.update' });
    await recordElsewhere({ patientRef: 'patient-1', eventId: anEventId('there') });
    await record({ patientRef: 'patient-2' });
    const plan = await planErasure(ports, { patientRef }, reader);
    expect(plan.erase.map(({ region, action }) => `${region} ${action}`).sort()).toEqual([
      'us-east-1 record.read',
      'us-east-1 record.update',
      'us-west-2 record.read',
    ]);
    expect({ ...plan, erase: [] }).toEqual({ erase: [], erasedAlready: [], ownActs: [], held: [], unknown: [] });
  });

  test('erases nothing, and says in the log that it was read, without the id of the patient', async () => {
    const { ports, record, stored, acts } = erasingWorld();
    const event = await record({ patientRef: 'patient-1' });
    await planErasure(ports, { patientRef }, reader);
    expect((await stored(event))?.body).toBeDefined();
    const told = await acts();
    expect(told.map(({ action, phase }) => `${action} ${phase}`).sort()).toEqual(['audit.read intent', 'audit.read outcome']);
    expect(JSON.stringify(told)).not.toContain('patient-1');
  });

  test('by id tells what is erased already, what is nobody’s to erase, what is held, what is unknown', async () => {
    const { ports, record, acts } = erasingWorld();
    const [event, gone, evidence] = [
      await record({ eventId: anEventId(1) }),
      await record({ eventId: anEventId(2) }),
      await record({ eventId: anEventId(3) }),
    ];
    await ports.auditEvents.erase(gone, timestamp(ports.clock.now()));
    await ports.incidents.create(
      anIncident({ breachDeclaredAt: timestamp(ports.clock.now()), links: [{ kind: 'audit', ref: `us-east-1/${evidence.eventId}` }] }),
      undefined,
    );
    await ports.auditLog.record({
      ...{ eventId: 'act:outcome', actId: 'act', phase: 'outcome', at: timestamp(ports.clock.now()), actor: 'cli/alice' },
      ...{ action: 'restore', resource: 'hms', region: ports.region, outcome: 'success', details: {} },
    });
    const [own] = await ports.auditEvents.ofAct('act');
    const unknown = EventId.parse(anEventId('unknown'));
    const named = [event, gone, evidence, ...(own ? [own] : [])].map(({ eventId }) => eventId);
    const plan = await planErasure(ports, { eventIds: [...named, unknown, event.eventId] }, reader);
    expect(plan).toMatchObject({
      erase: [{ eventId: event.eventId }],
      erasedAlready: [{ eventId: gone.eventId }],
      ownActs: [{ eventId: own?.eventId }],
      held: [{ eventId: evidence.eventId, incidentId: expect.stringMatching(/^inc-/) }],
      unknown: [unknown],
    });
    expect((await acts()).some(({ action }) => action === 'audit.erase')).toBe(false);
  });

  test('an incident that is no breach holds nothing', async () => {
    const { ports, record } = erasingWorld();
    const { eventId } = await record();
    await ports.incidents.create(anIncident({ links: [{ kind: 'audit', ref: eventId }] }), undefined);
    expect((await planErasure(ports, { eventIds: [eventId] }, reader)).held).toEqual([]);
  });

  test('by patient takes every reading along that looked for them, whole or broken off, in every Region, and no other act', async () => {
    const { ports, record, recordElsewhere, acts, everything, readingPorts } = erasingWorld();
    const about = await record({ patientRef: 'patient-1' });
    await recordElsewhere({ patientRef: 'patient-1' });
    const other = await record({ patientRef: 'patient-2' });
    const filter = { from: new Date(0), until: new Date('2027-01-01T00:00:00Z'), patientRef };
    for (const at of [ports.region, ports.regions[1] ?? ports.region]) {
      const there = readingPorts(at);
      await readEvents(there, filter, { ...reader, limit: 1 });
      for await (const _ of streamEvents(there, filter, reader)) break;
      there.auditEvents.failNext('query', new ServiceUnavailable('throttled'));
      await expect(readEvents(there, filter, { ...reader, limit: 1 })).rejects.toThrow('throttled');
      const { patientRef: __, ...rest } = filter;
      await readEvents(there, { ...rest, resource: 'Patient/patient-1' }, { ...reader, limit: 1 });
      await readEvents(there, { ...filter, patientRef: PatientRef.parse('patient-2') }, { ...reader, limit: 1 });
    }
    const plan = await planErasure(ports, { patientRef }, reader);
    expect(plan).toMatchObject({ ownActs: [], held: [], unknown: [] });
    expect(Object.entries(Object.groupBy(plan.erase, ({ action }) => action)).map(([action, each]) => [action, each?.length])).toEqual(
      expect.arrayContaining([
        ['record.read', 2],
        ['audit.read', 10],
      ]),
    );
    await eraseEvents(ports, plan, erasure);
    expect(JSON.stringify(everything())).not.toContain('patient-1');
    expect((await acts()).filter(({ patientRef: of }) => of === 'patient-2')).toHaveLength(2);
    expect((await acts()).filter(({ action }) => action === 'audit.erase')).toHaveLength(2);
    const [kept, gone] = [await ports.auditEvents.get([other]), await ports.auditEvents.get([about])];
    expect([kept[0]?.body, gone[0]?.body]).toEqual([other.body, undefined]);
    expect((await planErasure(ports, { patientRef }, reader)).erase).toEqual([]);
  });

  test('by id takes a reading, and never the act of an erasing', async () => {
    const { ports, record } = erasingWorld();
    const event = await record();
    await readEvents(ports, { from: new Date(0), until: new Date('2027-01-01T00:00:00Z'), userId: 'u-17' }, { ...reader, limit: 1 });
    await eraseEvents(ports, await planErasure(ports, { eventIds: [event.eventId] }, reader), erasure);
    const all = { from: new Date(0), until: new Date('2027-01-01T00:00:00Z') };
    const named = async (action: string) => (await ports.auditEvents.query({ ...all, action }, { limit: 9 })).events;
    const [readings, erasings] = [await named('audit.read'), await named('audit.erase')];
    const eventIds = [...readings, ...erasings].map(({ eventId }) => eventId);
    const plan = await planErasure(ports, { eventIds }, reader);
    const idsOf = (events: readonly { readonly eventId: string }[]) => events.map(({ eventId }) => eventId).sort();
    expect([idsOf(plan.erase), idsOf(plan.ownActs)]).toEqual([idsOf(readings), idsOf(erasings)]);
    await eraseEvents(ports, plan, erasure);
    expect(await named('audit.erase')).toHaveLength(4);
    // Whoever makes a plan of their own is refused by the store.
    const forged = erasings.map(({ region, eventId, recordedAt }) => ({ region, eventId, recordedAt, action: 'audit.erase' }));
    await expect(eraseEvents(ports, { erase: forged }, erasure)).rejects.toThrow('never erased');
    expect((await ports.auditEvents.get(erasings)).every(({ body }) => body !== undefined)).toBe(true);
  });

  test('does not take words for it that name the patient: they would stay', async () => {
    const { ports, acts } = erasingWorld();
    const naming = { ...reader, purpose: 'request of Patient-1' };
    const refusal = await planErasure(ports, { patientRef }, naming).catch((error: Error) => error.message);
    expect(refusal).toContain('names the patient');
    expect(refusal).not.toMatch(/patient-1/i);
    expect(await acts()).toEqual([]);
  });

  test('wants something to look for', async () => {
    await expect(planErasure(erasingWorld().ports, { eventIds: [] }, reader)).rejects.toThrow('no event is named');
  });
});

describe('an erasure', () => {
  test('removes body and salt; the leaf, its place and its proof stay, and the body is known to have been that one', async () => {
    const world = erasingWorld();
    const { ports, record, sequence, stored } = world;
    const event = await record({ patientRef: 'patient-1', eventId: anEventId('first') });
    const other = await record({ patientRef: 'patient-2', eventId: anEventId('second') });
    await sequence();
    expect(await isProven(world, event)).toBe(true);
    await eraseEvents(ports, await planErasure(ports, { patientRef }, reader), erasure);
    const { body, salt, erasedAt, leaf } = (await stored(event)) ?? { leaf: '' };
    expect({ body, salt, erasedAt, leaf }).toEqual({
      body: undefined,
      salt: undefined,
      erasedAt: '2026-11-21T12:00:00.000Z',
      leaf: event.leaf,
    });
    await sequence(); // the erasure itself is in the log, too
    expect([await isProven(world, event), await isProven(world, other)]).toEqual([true, true]);
    // Whoever had body and salt before can still show that they are the ones that were logged.
    expect(EventLeaf.parse(JSON.parse(leaf)).commitment).toBe(commitmentTo(event.body ?? '', Buffer.from(event.salt ?? '', 'base64')));
    expect((await stored(other))?.body).toBe(other.body);
  });

  test('a changed leaf would not be proven', async () => {
    const world = erasingWorld();
    const event = await world.record();
    await world.sequence();
    expect(await isProven(world, { ...event, leaf: event.leaf.replace('record.read', 'record.edit') })).toBe(false);
  });

  test('is an act: who, why, by which law and what, before anything is erased, and how it ended', async () => {
    const { ports, record, acts, stored } = erasingWorld();
    const event = await record();
    const plan = await planErasure(ports, { eventIds: [event.eventId] }, reader);
    ports.auditEvents.failNext('erase', new ServiceUnavailable('throttled'));
    await expect(eraseEvents(ports, plan, erasure)).rejects.toThrow('throttled');
    expect((await stored(event))?.body).toBeDefined();
    const told = (await acts()).filter(({ action }) => action === 'audit.erase');
    expect(told.map(({ phase, outcome }) => `${phase} ${outcome}`).sort()).toEqual(['intent pending', 'outcome failure']);
    for (const { actor, details } of told)
      expect({ actor, ...details }).toMatchObject({
        actor: erasure.by,
        reason: erasure.reason,
        basis: erasure.basis,
        events: `us-east-1/${event.eventId}`,
      });
  });

  test('that cannot be recorded erases nothing', async () => {
    const { ports, record, stored } = erasingWorld();
    const event = await record();
    const plan = await planErasure(ports, { eventIds: [event.eventId] }, reader);
    ports.auditEvents.failNext('record', new ServiceUnavailable('throttled'));
    await expect(eraseEvents(ports, plan, erasure)).rejects.toThrow('throttled');
    expect((await stored(event))?.body).toBeDefined();
  });

  test('interrupted and run again goes on with those that are left', async () => {
    const { ports, record } = erasingWorld();
    for (let index = 0; index < 120; index += 1) await record({ eventId: anEventId(index), patientRef: 'patient-1' });
    const told: number[] = [];
    const plan = await planErasure(ports, { patientRef }, reader);
    const stops = (erased: number) => {
      told.push(erased);
      if (erased === 50) ports.auditEvents.failNext('erase', new ServiceUnavailable('throttled'));
    };
    await expect(eraseEvents(ports, plan, erasure, stops)).rejects.toThrow('throttled');
    const again = await planErasure(ports, { patientRef }, reader);
    expect(again.erase.length).toBeGreaterThan(0);
    expect(again.erase.length).toBeLessThanOrEqual(70);
    ports.clock.advance(1);
    expect(await eraseEvents(ports, again, erasure, (erased) => told.push(erased))).toEqual({ erased: again.erase.length });
    expect((await planErasure(ports, { patientRef }, reader)).erase).toEqual([]);
    expect(told).toEqual([50, 50, again.erase.length]);
  });

  test.each([{ reason: ' ' }, { basis: '' }])('wants a reason and a law: not %j', async (lacking) => {
    const { ports, record, stored } = erasingWorld();
    const event = await record();
    const plan = await planErasure(ports, { eventIds: [event.eventId] }, reader);
    await expect(eraseEvents(ports, plan, { ...erasure, ...lacking })).rejects.toThrow('a reason and a legal basis');
    expect((await stored(event))?.body).toBeDefined();
  });
});
