import { describe, expect, it } from 'vitest';
import { commonAudit } from '../../../config/profiles/common-audit.ts';
import { acceptEvents } from '../../../functions/audit/events/accept.ts';
import { commitmentTo, EventLeaf } from '../../../functions/audit/events/leaf.ts';
import { recordEvents } from '../../../functions/audit/events/record.ts';
import type { AuditEvents } from '../../../functions/audit/ports.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { silentLogger } from '../../../functions/common/logger.ts';
import { memoryWorld } from '../../support/host.ts';
import { submitted } from '../../support/submitted-events.ts';

function recording(wrap: (record: AuditEvents['record']) => AuditEvents['record'] = (record) => record) {
  const { clock, operations, ports } = memoryWorld();
  const { primary: region } = operations.regions;
  const auditEvents = { record: wrap((event) => ports.auditEvents.record(event)) };
  const accept = (given: unknown) =>
    acceptEvents(given, { policy: commonAudit, now: clock.now(), submittedBy: 'arn:aws:iam::1:role/a' }).accepted;
  return {
    ports,
    record: (given: unknown) => recordEvents(accept(given), { auditEvents, region, clock, log: silentLogger }),
    stored: async (eventId: string) => {
      const { events } = await ports.auditEvents.query({ from: new Date(0), until: new Date('2100-01-01') }, { limit: 1000 });
      const found = events.find((event) => event.eventId === eventId);
      if (!found) throw new Error(`no event ${eventId}`);
      return found;
    },
  };
}

describe('recording', () => {
  it('makes an event durable with its place in the queue, and its leaf commits to the body', async () => {
    const { ports, record, stored } = recording();
    const event = submitted({ patientRef: 'pat-19ab77' });
    expect(await record(event)).toEqual([{ index: 0, eventId: event.eventId, status: 'recorded' }]);
    const { leaf, body = '', salt = '' } = await stored(event.eventId);
    expect(JSON.parse(body)).toEqual({ ...event, submittedBy: 'arn:aws:iam::1:role/a' });
    expect(EventLeaf.parse(JSON.parse(leaf)).commitment).toBe(commitmentTo(body, Buffer.from(salt, 'base64')));
    expect((await ports.auditQueue.pending(10)).map(({ eventId }) => eventId)).toEqual([event.eventId]);
  });

  it('gives each event a salt of its own', async () => {
    const { record, stored } = recording();
    const [one, other] = [submitted(), submitted()];
    await record([one, other]);
    expect((await stored(one.eventId)).salt).not.toBe((await stored(other.eventId)).salt);
  });

  it('tells of one that is there already, and refuses another one under its id', async () => {
    const { record } = recording();
    const event = submitted();
    await record(event);
    expect(await record(event)).toMatchObject([{ status: 'already' }]);
    expect(await record([{ ...event, outcome: 'denied' }, submitted()])).toMatchObject([
      { index: 0, status: 'rejected', code: 'id-reused' },
      { index: 1, status: 'recorded' },
    ]);
  });

  it('records what is in the batch twice once', async () => {
    const { ports, record } = recording();
    const event = submitted();
    expect((await record([event, submitted(), event])).map(({ status }) => status)).toEqual(['recorded', 'recorded', 'already']);
    expect(await ports.auditQueue.pending(10)).toHaveLength(2);
  });

  it('tells of each what became of it when the store fails for some', async () => {
    let calls = 0;
    const { record } = recording((durable) => async (event) => {
      if (++calls % 3 === 0) throw new ServiceUnavailable('throttled');
      return durable(event);
    });
    const events = Array.from({ length: 9 }, () => submitted());
    const first = await record(events);
    expect(first.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const lost = first.filter(({ status }) => status === 'unavailable');
    expect(lost).toHaveLength(3);
    const again = await record(events);
    for (const { index } of lost) expect(['recorded', 'unavailable']).toContain(again[index]?.status);
    for (const { index } of first.filter(({ status }) => status === 'recorded'))
      expect(['already', 'unavailable']).toContain(again[index]?.status);
  });

  it('calls nothing durable that may not be, whatever is thrown', async () => {
    const { record } = recording(() => async () => {
      throw new TypeError('a defect');
    });
    expect(await record([submitted()])).toMatchObject([{ status: 'unavailable' }]);
  });

  it('has 25 events under way at most, however many there are', async () => {
    let [underWay, most] = [0, 0];
    const { record } = recording((durable) => async (event) => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
      return durable(event);
    });
    const results = await record(Array.from({ length: 200 }, () => submitted()));
    expect(results.every(({ status }) => status === 'recorded')).toBe(true);
    expect(most).toBe(25);
  });
});
