import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type AuditEvent,
  AuditEventRejected,
  AuditLogUnavailable,
  createAuditClient,
  type HttpsOptions,
  type NewAuditEvent,
} from '../../clients/audit-client/log-event.ts';
import { SubmittedEvent } from '../../functions/audit/events/event.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { auditDoors } from '../support/audit-doors.ts';
import { type Fault, principal, signedServer } from '../support/signed-server.ts';
import { submitted } from '../support/submitted-events.ts';

const read: NewAuditEvent = {
  ...{ userId: 'practitioner-4711', action: 'record.read', resource: 'Observation/8812', outcome: 'success', service: 'registration' },
};
const { accessKeyId, secretAccessKey } = principal;

/** The deployed handler behind a real server that verifies signatures, and a client of it. */
async function world(
  given: {
    readonly faults?: readonly (Fault | undefined)[];
    readonly doors?: ReturnType<typeof auditDoors>;
    readonly options?: Partial<HttpsOptions>;
  } = {},
) {
  const doors = given.doors ?? auditDoors({ start: new Date().toISOString() });
  const server = await signedServer(
    'lambda',
    async ({ method, path, headers, body }, caller) => {
      const { statusCode: status, ...answer } = await doors.ask({ method, path, headers, body, caller });
      return { status, headers: answer.headers, body: answer.body };
    },
    given.faults,
  );
  const options = {
    url: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    wait: async () => {},
    ...given.options,
  };
  return { doors, server, client: createAuditClient(options), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const recordedIn = async ({ ports }: ReturnType<typeof auditDoors>) => {
  const { events } = await ports.auditEvents.query({ from: new Date(0), until: new Date('2100-01-01') }, { limit: 5000 });
  return events.map(({ body = '{}' }) => JSON.parse(body));
};
const sentIds = (body: string): readonly string[] => [JSON.parse(body)].flat().map(({ eventId }) => eventId);

describe('logEvent over HTTPS', () => {
  it('signs, adds id and time, and resolves when the event is durable', async () => {
    await using given = await world();
    const { eventId, status } = await given.client.logEvent(read);
    expect(status).toBe('recorded');
    expect(eventId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await recordedIn(given.doors)).toMatchObject([{ ...read, eventId, submittedBy: principal.arn }]);
    expect(await given.client.logEvent({ ...read, ...(await recordedIn(given.doors))[0], submittedBy: undefined })).toEqual({
      eventId,
      status: 'already',
    });
  });

  it('is not let in with a secret that is not its own, and does not try again', async () => {
    await using given = await world({ options: { credentials: { accessKeyId, secretAccessKey: `${secretAccessKey}x` } } });
    await expect(given.client.logEvent(read)).rejects.toThrow(AuditLogUnavailable);
    await expect(given.client.logEvent(read)).rejects.toMatchObject({
      code: 'http-403',
      message: expect.stringContaining('is the Region right?'),
    });
    expect(given.server.requests).toHaveLength(2);
  });

  it('signs with a session too', async () => {
    await using given = await world({
      options: { credentials: async () => ({ accessKeyId, secretAccessKey, sessionToken: 'FwoGZXIvYXdzEBYa' }) },
    });
    expect(await given.client.logEvent(read)).toMatchObject({ status: 'recorded' });
    expect(given.server.requests[0]?.headers).toMatchObject({ 'x-amz-security-token': 'FwoGZXIvYXdzEBYa' });
  });

  it('tries again under the same id until there is an answer, and the event is there once', async () => {
    await using given = await world({
      faults: ['no-answer', { status: 500 }, { status: 429 }, 'answer-lost', { status: 503, retryAfter: 0 }],
    });
    expect(await given.client.logEvent(read)).toMatchObject({ status: 'already' }); // the lost answer was of its record
    expect(new Set(given.server.requests.flatMap(({ body }) => sentIds(body))).size).toBe(1);
    expect(given.server.requests).toHaveLength(6);
    expect(await recordedIn(given.doors)).toHaveLength(1);
  });

  it('gives up after its attempts, and tells the id under which to go on', async () => {
    await using given = await world({ faults: Array<Fault>(3).fill({ status: 502 }), options: { attempts: 3 } });
    const failure = given.client.logEvent({ ...read, eventId: '0190a5c4-0000-7000-8000-000000000001' });
    await expect(failure).rejects.toMatchObject({
      name: 'AuditLogUnavailable',
      code: 'http-502',
      eventId: '0190a5c4-0000-7000-8000-000000000001',
    });
    expect(given.server.requests).toHaveLength(3);
  });

  it('waits as long as it is told to', async () => {
    const waited: number[] = [];
    await using given = await world({
      faults: [{ status: 429, retryAfter: 7 }],
      options: { wait: async (milliseconds) => void waited.push(milliseconds) },
    });
    await given.client.logEvent(read);
    expect(waited).toEqual([7000]);
  });

  it('rejects with code and reason what can never be taken', async () => {
    await using given = await world();
    const failure = given.client.logEvent({ ...read, action: 'record.peek' });
    await expect(failure).rejects.toThrow(AuditEventRejected);
    await expect(failure).rejects.toMatchObject({ code: 'unknown-action', reason: expect.stringContaining('audit.actions') });
    expect(given.server.requests).toHaveLength(1);
  });

  it('refuses a number that JSON would turn into null', async () => {
    await using given = await world();
    await expect(given.client.logEvent({ ...read, details: { dose: Number.NaN } })).rejects.toThrow(RangeError);
    expect(given.server.requests).toEqual([]);
  });
});

describe('logEvents over HTTPS', () => {
  it('answers for each, and none sinks the others', async () => {
    await using given = await world();
    const results = await given.client.logEvents([read, { ...read, outcome: 'ok' } as unknown as NewAuditEvent, read]);
    expect(results).toMatchObject([{ status: 'recorded' }, { status: 'rejected', code: 'invalid-field' }, { status: 'recorded' }]);
    expect(await given.client.logEvents([])).toEqual([]);
  });

  it('sends again only what has no answer that stands', async () => {
    const { ports } = auditDoors();
    let failures = 2;
    const record: typeof ports.auditEvents.record = async (event) => {
      if (event.leaf.includes('record.update') && failures-- > 0) throw new ServiceUnavailable('throttled');
      return ports.auditEvents.record(event);
    };
    const doors = auditDoors({ start: new Date().toISOString(), ports: { auditEvents: { ...ports.auditEvents, record } } });
    await using given = await world({ doors });
    const results = await given.client.logEvents([read, { ...read, action: 'record.update' }, read]);
    expect(results.map(({ status }) => status)).toEqual(['recorded', 'recorded', 'recorded']);
    expect(given.server.requests.map(({ body }) => sentIds(body).length)).toEqual([3, 1, 1]);
  });

  it('splits what is more than 500 events or a megabyte', async () => {
    await using given = await world();
    const many = await given.client.logEvents(Array.from({ length: 1201 }, () => read));
    expect(many.every(({ status }) => status === 'recorded')).toBe(true);
    expect(given.server.requests.map(({ body }) => sentIds(body).length)).toEqual([500, 500, 201]);
    const large = { ...read, details: Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`d${index}`, 'ä'.repeat(2000)])) };
    await given.client.logEvents(Array.from({ length: 40 }, () => large));
    const bodies = given.server.requests.slice(3).map(({ body }) => Buffer.byteLength(body));
    expect(bodies.length).toBe(3);
    expect(Math.max(...bodies)).toBeLessThanOrEqual(1_000_001);
    expect(await recordedIn(given.doors)).toHaveLength(1241);
  });
});

describe('over the bus', () => {
  const Call = z.object({
    Entries: z.array(z.object({ EventBusName: z.string(), Source: z.string(), DetailType: z.string(), Detail: z.string() })),
  });

  /** EventBridge as the client sees it; what it takes is delivered to the consumer. */
  async function bus(refusals = 0) {
    const doors = auditDoors({ start: new Date().toISOString() });
    let left = refusals;
    const server = await signedServer('events', async ({ headers, body }) => {
      expect(headers).toMatchObject({ 'x-amz-target': 'AWSEvents.PutEvents', 'content-type': 'application/x-amz-json-1.1' });
      if (left-- > 0)
        return { status: 200, body: JSON.stringify({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] }) };
      for (const { Source, DetailType, Detail } of Call.parse(JSON.parse(body)).Entries) {
        expect(await doors.deliver(doors.envelope(JSON.parse(Detail), { source: Source, 'detail-type': DetailType }))).toEqual([]);
      }
      return { status: 200, body: JSON.stringify({ FailedEntryCount: 0, Entries: [{ EventId: '11710aed' }] }) };
    });
    const options = { busName: 'hms-codeblue-audit-events', source: 'hms.registration', endpoint: server.url, region: 'us-east-1' };
    const client = createAuditClient({ ...options, credentials: { accessKeyId, secretAccessKey }, wait: async () => {} });
    return { doors, server, client, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }

  it('sends one or many, as what the consumer takes', async () => {
    await using given = await bus();
    expect(await given.client.logEvent(read)).toMatchObject({ status: 'sent' });
    expect((await given.client.logEvents([read, read])).map(({ status }) => status)).toEqual(['sent', 'sent']);
    const recorded = await recordedIn(given.doors);
    expect(recorded.map(({ submittedBy }) => submittedBy)).toEqual(Array(3).fill('bus/111122223333/hms.registration'));
  });

  it('sends again what the bus did not take, and keeps below its 256 KB', async () => {
    await using given = await bus(2);
    const large = { ...read, details: Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`d${index}`, '"'.repeat(2000)])) };
    const results = await given.client.logEvents(Array.from({ length: 20 }, () => large));
    expect(results.every(({ status }) => status === 'sent')).toBe(true);
    for (const { body } of given.server.requests) {
      expect(Call.parse(JSON.parse(body)).Entries.every(({ Detail }) => Buffer.byteLength(Detail) < 262_144)).toBe(true);
    }
    expect(await recordedIn(given.doors)).toHaveLength(20);
  });
});

describe('the types of the client', () => {
  it('are those of the contract', () => {
    type Contract = z.input<typeof SubmittedEvent>;
    expectTypeOf<keyof AuditEvent>().toEqualTypeOf<keyof Contract>();
    expectTypeOf<Contract>().toExtend<AuditEvent>();
    expectTypeOf<AuditEvent['purpose']>().toEqualTypeOf<Contract['purpose']>();
    expectTypeOf<AuditEvent['outcome']>().toEqualTypeOf<Contract['outcome']>();
    const event: AuditEvent = submitted();
    const back: { -readonly [F in keyof AuditEvent]: AuditEvent[F] } = event;
    expectTypeOf(back.details).toExtend<Readonly<Contract['details']>>();
    expect(SubmittedEvent.parse(event)).toEqual(event);
  });
});
