import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../functions/audit/events/event.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { auditDoors, callerArn } from '../../support/audit-doors.ts';
import { submitted } from '../../support/submitted-events.ts';

const everything = { from: new Date(0), until: new Date('2100-01-01') };
const bodiesIn = async ({ ports }: ReturnType<typeof auditDoors>): Promise<readonly EventBody[]> => {
  const { events } = await ports.auditEvents.query(everything, { limit: 1000 });
  return events.map(({ body = '{}' }) => JSON.parse(body));
};

describe('POST /v1/events', () => {
  it('records one event under the principal that signed', async () => {
    const doors = auditDoors();
    const event = submitted();
    const { statusCode, json } = await doors.send(event);
    expect(statusCode).toBe(200);
    expect(json).toEqual({ results: [{ index: 0, eventId: event.eventId, status: 'recorded' }] });
    expect(await bodiesIn(doors)).toEqual([{ ...event, submittedBy: callerArn }]);
    expect((await doors.send(event)).json.results).toMatchObject([{ status: 'already' }]);
  });

  it('answers for each event of a batch, in its order', async () => {
    const doors = auditDoors();
    const [one, two] = [submitted(), submitted()];
    const { statusCode, json } = await doors.send([one, { ...one, eventId: 'x' }, 7, two, { ...two, outcome: 'denied' }]);
    expect(statusCode).toBe(200);
    expect(json.results).toMatchObject([
      { index: 0, eventId: one.eventId, status: 'recorded' },
      { index: 1, status: 'rejected', code: 'invalid-field' },
      { index: 2, status: 'rejected', code: 'not-an-event' },
      { index: 3, eventId: two.eventId, status: 'recorded' },
      { index: 4, eventId: two.eventId, status: 'rejected', code: 'id-reused' },
    ]);
  });

  it('takes an event on each line, and a broken line by itself', async () => {
    const doors = auditDoors();
    const [one, two] = [submitted(), submitted()];
    const body = `${JSON.stringify(one)}\n{"eventId": \r\n\n${JSON.stringify(two)}\n`;
    const { json } = await doors.ask({ body, headers: { 'Content-Type': 'application/x-ndjson; charset=utf-8' } });
    expect(json.results).toMatchObject([{ status: 'recorded' }, { status: 'rejected', code: 'not-json' }, { status: 'recorded' }]);
  });

  it('reads a body that came as base64, and refuses one that is no UTF-8 rather than change it', async () => {
    const doors = auditDoors();
    const text = JSON.stringify(submitted({ userId: 'Größe' }));
    expect((await doors.ask({ body: Buffer.from(text).toString('base64'), base64: true })).json.results).toMatchObject([
      { status: 'recorded' },
    ]);
    const broken = Buffer.from(text, 'latin1').toString('base64');
    expect(await doors.ask({ body: broken, base64: true })).toMatchObject({ statusCode: 400 });
    expect(await bodiesIn(doors)).toHaveLength(1);
  });

  it('tells what is retryable of the events that the store did not take', async () => {
    const { ports } = auditDoors();
    const doors = auditDoors({
      ports: {
        auditEvents: {
          ...ports.auditEvents,
          record: async (event) => {
            if (event.leaf.includes('record.update')) throw new ServiceUnavailable('throttled');
            return ports.auditEvents.record(event);
          },
        },
      },
    });
    const partly = await doors.send([submitted(), submitted({ action: 'record.update' })]);
    expect(partly.statusCode).toBe(200);
    expect(partly.json.results).toMatchObject([{ status: 'recorded' }, { status: 'unavailable', code: 'unavailable' }]);
    const not = await doors.send([submitted({ action: 'record.update' }), 'x']);
    expect(not).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } });
    expect(not.json.results).toHaveLength(2);
  });

  it.each([
    [404, { path: '/v1/other', body: '{}' }],
    [405, { method: 'GET' }],
    [400, { body: 'userId=jane' }],
    [400, {}],
    [413, { body: JSON.stringify('x'.repeat(6 * 1024 * 1024)) }],
    [413, { body: JSON.stringify(Array.from({ length: 501 }, () => 1)) }],
    [403, { body: '{}', caller: null }],
  ])('answers %i where that is the answer', async (status, request) => {
    const doors = auditDoors();
    const { statusCode, json } = await doors.ask(request);
    expect(statusCode).toBe(status);
    expect(json.message).toEqual(expect.any(String));
    expect(await bodiesIn(doors)).toEqual([]);
  });

  it('keeps a caller whose ARN is longer than a body holds apart from others', async () => {
    const doors = auditDoors();
    const arnOf = (name: string) => `arn:aws:iam::111122223333:user/${'staff/'.repeat(80)}${name}`;
    for (const name of ['a', 'b']) await doors.send(submitted(), { caller: arnOf(name) });
    const carriers = (await bodiesIn(doors)).map(({ submittedBy }) => submittedBy);
    expect(new Set(carriers).size).toBe(2);
    expect(carriers.every((carrier) => carrier.length <= 300 && carrier.startsWith('arn:aws:iam::111122223333:user/staff/'))).toBe(true);
  });
});
