import { describe, expect, test } from 'vitest';
import { EventId, PatientRef } from '../../../functions/audit/events/event.ts';
import { bodyOf } from '../../../functions/audit/events/recorded.ts';
import type { EventFilter } from '../../../functions/audit/ports.ts';
import { filterFrom } from '../../../functions/audit/query/filter.ts';
import { readEvents, readNamedEvents, streamEvents } from '../../../functions/audit/query/read-events.ts';
import { days, hours } from '../../../functions/common/duration.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { anEventId, auditWorld } from '../../support/audit-world.ts';

const reader = { by: 'cli/lab/alice', purpose: 'a complaint' } as const;
const all: EventFilter = { from: new Date(0), until: new Date('2027-01-01T00:00:00Z') };

async function worldWithReads() {
  const world = auditWorld();
  const ports = { ...world.ports, clock: world.clock, region: world.region };
  return { ...world, ports, reads: async () => (await world.acts()).filter(({ action }) => action === 'audit.read') };
}

describe('a page of events', () => {
  test('is in the log before it is given: who, for what, which filter, how many', async () => {
    const { ports, record, reads } = await worldWithReads();
    await record({ patientRef: 'patient-1' });
    await record({ patientRef: 'patient-2' });
    const filter = filterFrom({ patient: 'patient-1' }, { now: new Date('2026-11-21T12:00:00Z'), lookBack: hours(24) });
    const page = await readEvents(ports, filter, { ...reader, limit: 10 });
    expect(page.events).toHaveLength(1);
    expect(await reads()).toMatchObject([
      {
        ...{ actor: 'cli/lab/alice', phase: 'outcome', outcome: 'success', resource: 'audit-log', patientRef: 'patient-1' },
        details: { purpose: 'a complaint', from: '2026-11-20T12:00:00.000Z', limit: 10, found: 1 },
      },
    ]);
    expect(JSON.stringify((await reads())[0]?.details)).not.toContain('patient-1');
  });

  test.each([
    ['by patient', { patient: 'patient-1' }, 2],
    ['for the resource of that patient', { resource: 'Patient/patient-1' }, 0],
  ])('%s is found by that patient: who looked, and whether they saw anything', async (_, words, seen) => {
    const { ports, recordElsewhere } = await worldWithReads();
    await recordElsewhere({ patientRef: 'patient-1' });
    const filter = filterFrom(words, { now: new Date('2026-11-21T12:00:00Z'), lookBack: hours(24) });
    ports.auditEvents.failNext('query', new ServiceUnavailable('throttled'));
    await expect(readEvents(ports, filter, { ...reader, limit: 10 })).rejects.toThrow('throttled');
    for await (const _event of streamEvents(ports, filter, reader));
    const about = await ports.auditEvents.query({ ...all, patientRef: PatientRef.parse('patient-1'), action: 'audit.read' }, { limit: 10 });
    const told = about.events.map((event) => bodyOf(event)).map((body) => [body?.userId, body?.phase, body?.outcome, body?.details?.found]);
    expect(told).toHaveLength(3);
    expect(told).toEqual(
      expect.arrayContaining([
        ['cli/lab/alice', 'outcome', 'failure', undefined],
        ['cli/lab/alice', 'intent', 'pending', undefined],
        ['cli/lab/alice', 'outcome', 'success', seen],
      ]),
    );
  });

  test('for another resource or a user names no patient', async () => {
    const { ports, reads } = await worldWithReads();
    for (const words of [{ resource: 'Observation/o-1' }, { resource: 'Patient/' }, { user: 'u-17' }]) {
      await readEvents(ports, filterFrom(words, { now: new Date(), lookBack: days(1) }), { ...reader, limit: 1 });
    }
    expect((await reads()).map(({ patientRef }) => patientRef)).toEqual([undefined, undefined, undefined]);
  });

  test('that found nothing was read all the same', async () => {
    const { ports, reads } = await worldWithReads();
    await readEvents(ports, { ...all, userId: 'nobody' }, { ...reader, limit: 10 });
    expect(await reads()).toMatchObject([{ details: { userId: 'nobody', found: 0 } }]);
  });

  test('is not given when the log does not take that it was read', async () => {
    const { ports, record } = await worldWithReads();
    await record();
    ports.auditEvents.failNext('record', new ServiceUnavailable('throttled'));
    await expect(readEvents(ports, all, { ...reader, limit: 10 })).rejects.toThrow('throttled');
  });

  test('that could not be read is told as that', async () => {
    const { ports, reads } = await worldWithReads();
    ports.auditEvents.failNext('query', new ServiceUnavailable('throttled'));
    await expect(readEvents(ports, all, { ...reader, limit: 10 })).rejects.toThrow('throttled');
    expect(await reads()).toMatchObject([{ outcome: 'failure', details: { error: 'throttled' } }]);
  });

  test('names no patient in a leaf', async () => {
    const { ports, record } = await worldWithReads();
    await record({ patientRef: 'patient-1', userId: 'u-secret' });
    await readEvents(ports, filterFrom({ patient: 'patient-1', user: 'u-secret' }, { now: new Date(), lookBack: days(1) }), {
      ...reader,
      limit: 1,
    });
    const { events } = await ports.auditEvents.query(all, { limit: 100 });
    expect(events).toHaveLength(2);
    for (const { leaf } of events) expect(leaf).not.toMatch(/patient-1|u-secret|alice/);
  });

  test('goes on where the one before ended, each told', async () => {
    const { ports, record, reads } = await worldWithReads();
    for (const minute of [10, 11, 12]) await record({ at: `2026-11-21T11:${minute}:00.000Z` });
    const filter = { ...all, userId: 'u-17' };
    const first = await readEvents(ports, filter, { ...reader, limit: 2 });
    await record({ at: '2026-11-21T11:59:00.000Z' });
    const second = await readEvents(ports, filter, { ...reader, limit: 2, next: first.next });
    const times = [...first.events, ...second.events].map(({ recordedAt }) => recordedAt.slice(11, 16));
    expect(times).toEqual(['11:12', '11:11', '11:10']);
    expect(second.next).toBeUndefined();
    expect(await reads()).toHaveLength(2);
  });

  test('that begins nowhere is no reading, and what was given for it is told nobody', async () => {
    const { ports, reads } = await worldWithReads();
    const next = 'patient-1';
    const refusal = await readEvents(ports, all, { ...reader, limit: 1, next }).catch((error: Error) => error.message);
    expect(refusal).toContain('not the end of a page');
    expect(refusal).not.toContain(next);
    expect(await reads()).toEqual([]);
  });

  test.each([0, 1001, 1.5])('has no limit of %s', async (limit) => {
    const { ports } = await worldWithReads();
    await expect(readEvents(ports, all, { ...reader, limit })).rejects.toThrow('no limit');
  });
});

test('two reads of one person in one millisecond are two', async () => {
  const { ports, reads } = await worldWithReads();
  for (let again = 0; again < 2; again += 1) await readEvents(ports, all, { ...reader, limit: 1 });
  expect(await reads()).toHaveLength(2);
});

test('events by their ids are read as audited; unknown ones are left out', async () => {
  const { ports, record, reads, region } = await worldWithReads();
  const { eventId } = await record();
  const unknown = EventId.parse(anEventId('never recorded'));
  const refs = [eventId, unknown].map((each) => ({ region, eventId: each }));
  expect(await readNamedEvents(ports, refs, reader)).toHaveLength(1);
  expect(await reads()).toMatchObject([
    { details: { count: 2, events: refs.map((ref) => `${region}/${ref.eventId}`).join(' '), found: 1 } },
  ]);
});

test('of any number of events that are read by their ids none is left unnamed', async () => {
  const { ports, reads, region } = await worldWithReads();
  const refs = Array.from({ length: 120 }, (_, index) => ({ region, eventId: EventId.parse(anEventId(index)) }));
  await readNamedEvents(ports, refs, reader);
  const named = (await reads()).flatMap(({ details }) => String(details.events).split(' '));
  expect(named.sort()).toEqual(refs.map(({ eventId }) => `${region}/${eventId}`).sort());
});

describe('a stream of events', () => {
  const take = async (stream: AsyncIterable<{ readonly eventId: string }>, most = Number.POSITIVE_INFINITY) => {
    const ids: string[] = [];
    for await (const { eventId } of stream) {
      ids.push(eventId);
      if (ids.length >= most) break;
    }
    return ids;
  };

  async function many(count: number) {
    const world = await worldWithReads();
    for (let index = 0; index < count; index += 1)
      await world.record({ eventId: anEventId(index), at: new Date(Date.UTC(2026, 10, 21, 1) + index * 1000).toISOString() });
    return world;
  }

  test('gives all of them once, over many pages, with an event at the beginning and one at the end', async () => {
    const { ports, reads } = await many(1100);
    const ids = await take(streamEvents(ports, { ...all, userId: 'u-17' }, reader));
    expect([ids.length, new Set(ids).size]).toEqual([1100, 1100]);
    expect((await reads()).map(({ phase, outcome, details }) => [phase, outcome, details.found])).toEqual([
      ['outcome', 'success', 1100],
      ['intent', 'pending', undefined],
    ]);
  });

  test('does not find itself, but whoever read before', async () => {
    const { ports } = await many(2);
    const actions = async () => {
      const found: (string | undefined)[] = [];
      for await (const event of streamEvents(ports, all, reader)) found.push(bodyOf(event)?.action);
      return found.sort();
    };
    expect(await actions()).toEqual(['record.read', 'record.read']);
    expect(await actions()).toEqual(['audit.read', 'audit.read', 'record.read', 'record.read']);
  });

  test('asks for a page only when somebody reads it', async () => {
    const { ports } = await many(600);
    let queries = 0;
    const { get } = ports.auditEvents;
    const query: typeof ports.auditEvents.query = (...given) => {
      queries += 1;
      return ports.auditEvents.query(...given);
    };
    const counting = { ...ports, auditEvents: { get, query } };
    await take(streamEvents(counting, { ...all, userId: 'u-17' }, reader), 500);
    expect(queries).toBe(1);
  });

  test('that is left early says how many were given', async () => {
    const { ports, reads } = await many(5);
    await take(streamEvents(ports, all, reader), 2);
    expect((await reads())[0]).toMatchObject({ phase: 'outcome', outcome: 'failure', details: { found: 2 } });
  });

  test('gives nothing when its beginning cannot be recorded', async () => {
    const { ports } = await many(1);
    ports.auditEvents.failNext('record', new ServiceUnavailable('throttled'));
    await expect(take(streamEvents(ports, all, reader))).rejects.toThrow('throttled');
  });
});

describe('a filter of words', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const given = (words: Parameters<typeof filterFrom>[0]) => filterFrom(words, { now, lookBack: hours(24) });

  test('is the last day unless it says when, and takes clocks that are ahead', () => {
    expect(given({})).toEqual({ from: new Date('2026-11-20T12:00:00Z'), until: new Date('2026-11-22T12:00:00Z') });
  });

  test('looks back from its end', () => {
    expect(given({ until: new Date('2026-01-02T00:00:00Z') }).from).toEqual(new Date('2026-01-01T00:00:00Z'));
  });

  test.each([
    [{ patient: 'Erika Mustermann' }, 'patient', 'Mustermann'],
    [{ outcome: 'fine' }, 'outcome', 'fine'],
    [{ action: 'Record Read' }, 'action', 'Record'],
    [{ user: '' }, 'user', 'u-'],
  ])('says what is wrong with %j and does not repeat it', (words, option, value) => {
    expect(() => given(words)).toThrow(option);
    expect(() => given(words)).not.toThrow(value);
  });

  test('whose end is its beginning finds nothing', () => {
    expect(() => given({ from: now, until: now })).toThrow('nothing lies between');
  });
});
