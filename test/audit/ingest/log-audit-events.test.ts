import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { auditDetailTypes } from '../../../functions/common/names.ts';
import { metricNames } from '../../../functions/maintenance/metric-names.ts';
import { auditDoors } from '../../support/audit-doors.ts';
import { submitted } from '../../support/submitted-events.ts';

const batch = { 'detail-type': auditDetailTypes.batch };
const everything = { from: new Date(0), until: new Date('2100-01-01') };
const rejectedMetric = metricNames.audit.eventsRejected;

const applicationEvents = async ({ ports }: ReturnType<typeof auditDoors>) => {
  const { events } = await ports.auditEvents.query(everything, { limit: 1000 });
  return events.map(({ body = '{}' }) => JSON.parse(body)).filter(({ service }) => service !== 'codeblue');
};
const refusals = async ({ ports }: ReturnType<typeof auditDoors>) =>
  (await ports.auditLog.recent(new Date(0), 100)).filter(({ action }) => action === 'refuse-audit-events');

describe('what the bus delivers', () => {
  it('is recorded, one or many, under the account and name of who sent it', async () => {
    const doors = auditDoors();
    const [one, two, three] = [submitted(), submitted(), submitted()];
    expect(await doors.deliver(doors.envelope(one), doors.envelope({ events: [two, three] }, batch))).toEqual([]);
    const events = await applicationEvents(doors);
    expect(events.map(({ eventId }) => eventId).sort()).toEqual([one, two, three].map(({ eventId }) => eventId).sort());
    expect(new Set(events.map(({ submittedBy }) => submittedBy))).toEqual(new Set(['bus/111122223333/hms.registration']));
  });

  it('is one event however often it comes, over the bus and over HTTPS', async () => {
    const doors = auditDoors();
    const event = submitted();
    await doors.send(event);
    await doors.deliver(doors.envelope(event), doors.envelope(event));
    await doors.deliver(doors.envelope(event));
    expect(await applicationEvents(doors)).toHaveLength(1);
    expect(await refusals(doors)).toEqual([]);
  });

  it('is delivered again when it could not be recorded, and leaves the others alone', async () => {
    const { ports } = auditDoors();
    let isDown = true;
    const doors = auditDoors({
      ports: {
        auditEvents: {
          ...ports.auditEvents,
          record: async (event) => {
            if (isDown && event.leaf.includes('record.update')) throw new ServiceUnavailable('throttled');
            return ports.auditEvents.record(event);
          },
        },
      },
    });
    const mixed = doors.envelope({ events: [submitted(), submitted({ action: 'record.update' }), 'x'] }, batch);
    expect(await doors.deliver(mixed, doors.envelope(submitted()))).toEqual(['m-1']);
    expect(doors.metrics.recorded).toEqual([]); // told when the message is done with, and once
    isDown = false;
    expect(await doors.redeliver('m-1', mixed)).toEqual([]);
    expect(doors.metrics.latest(rejectedMetric)).toBe(1);
  });
});

describe('what the bus delivers and nobody can take', () => {
  it('becomes one act of Codeblue with ids, codes and reasons, and a metric', async () => {
    const doors = auditDoors();
    const good = submitted();
    const bad = submitted({ action: 'record.peek' });
    expect(await doors.deliver(doors.envelope({ events: [good, bad, { ...bad, eventId: 'x' }] }, batch))).toEqual([]);
    expect(await applicationEvents(doors)).toHaveLength(1);
    const [act, ...others] = await refusals(doors);
    expect(others).toEqual([]);
    expect(act).toMatchObject({
      ...{ actor: 'bus/111122223333/hms.registration', outcome: 'failure', resource: 'audit-log/events' },
      details: {
        refused: 2,
        codes: 'unknown-action 1, invalid-field 1',
        reasons: expect.stringContaining(`event 2 (${bad.eventId}): action`),
      },
    });
    expect(doors.metrics.recorded).toMatchObject([{ name: rejectedMetric, value: 2, dimensions: { Region: 'us-east-1' } }]);
  });

  it('is told of as well when another event has its id', async () => {
    const doors = auditDoors();
    const event = submitted();
    await doors.deliver(doors.envelope(event));
    expect(await doors.deliver(doors.envelope({ ...event, outcome: 'denied' }))).toEqual([]);
    expect(await refusals(doors)).toMatchObject([{ details: { refused: 1, codes: 'id-reused 1' } }]);
  });

  it('is the same act when it is delivered again', async () => {
    const doors = auditDoors();
    const body = doors.envelope({ ...submitted(), outcome: 'ok' });
    await doors.redeliver('m-77', body);
    doors.clock.advance(60);
    await doors.redeliver('m-77', body);
    expect(await refusals(doors)).toMatchObject([{ at: '2026-11-21T12:00:00.000Z' }]);
  });

  it.each([
    ['no JSON', () => '{'],
    ['no delivery of EventBridge', () => JSON.stringify({ hello: 'world' })],
    ['a list as one event', (doors: ReturnType<typeof auditDoors>) => doors.envelope([submitted()])],
    ['a batch without events', (doors: ReturnType<typeof auditDoors>) => doors.envelope({}, batch)],
    ['a batch of 501', (doors: ReturnType<typeof auditDoors>) => doors.envelope({ events: Array(501).fill(1) }, batch)],
  ])('is not delivered again for being %s', async (_name, bodyOf) => {
    const doors = auditDoors();
    expect(await doors.deliver(bodyOf(doors))).toEqual([]);
    expect(await refusals(doors)).toMatchObject([{ details: { refused: 1 } }]);
  });

  it('is told of under a name of no form that names have as unknown', async () => {
    const doors = auditDoors();
    await doors.deliver(doors.envelope('x', { source: 'Jane Doe 1961-04-12' }));
    expect(await refusals(doors)).toMatchObject([{ actor: 'bus/111122223333/unknown' }]);
  });
});

describe('the clock of what waited in the queue', () => {
  it('counts from when the bus took it, for as long as anything can wait', async () => {
    const doors = auditDoors();
    const daysAgo = (days: number) => new Date(doors.clock.now().getTime() - days * 86_400_000).toISOString();
    await doors.deliver(doors.envelope(submitted({ at: daysAgo(10) }), { time: daysAgo(9) }));
    expect(await applicationEvents(doors)).toHaveLength(1);
    await doors.deliver(doors.envelope(submitted({ at: daysAgo(40) }), { time: daysAgo(40) })); // a time of the sender's own making
    expect(await applicationEvents(doors)).toHaveLength(1);
    expect(await refusals(doors)).toMatchObject([{ details: { codes: 'clock-behind 1' } }]);
  });
});
