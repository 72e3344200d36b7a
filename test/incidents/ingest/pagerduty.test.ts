import { Agent, type AgentOptions } from 'node:https';
import { connect } from 'node:net';
import { acknowledge, change, resolve, trigger } from '@pagerduty/pdjs';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { doorsWorld, keys, listening, operationsWithDoors } from '../../support/doors.ts';

const payload = { summary: 'DISK at 99% on machine db.example.org', source: 'db.example.org', severity: 'critical' } as const;
const event = (given: object = {}) => ({ routing_key: keys.pagerduty, event_action: 'trigger', payload, ...given });
const parsed = ({ body }: { readonly body: string }): unknown => JSON.parse(body);

/** pdjs speaks HTTPS to `server`; this agent takes it to a local port without TLS. Nothing of the client is changed. */
class LocalAgent extends Agent {
  readonly #port: number;
  constructor(port: number, options: AgentOptions = {}) {
    super(options);
    this.#port = port;
  }
  override createConnection() {
    return connect(this.#port, '127.0.0.1');
  }
}

describe("PagerDuty's own client, unchanged", () => {
  let world: ReturnType<typeof doorsWorld>;
  let server: Awaited<ReturnType<typeof listening>>;
  const options = () => ({ server: 'codeblue.example.org', agent: new LocalAgent(server.port), retryTimeout: 1 });
  beforeEach(async () => {
    world = doorsWorld();
    server = await listening(world);
  });
  afterEach(() => server.close());

  it('triggers, acknowledges and resolves one incident by its dedup_key', async () => {
    const opened = await trigger({ ...options(), data: { routing_key: keys.pagerduty, payload } as never });
    expect(opened.status).toBe(202);
    expect(opened.data).toEqual({ status: 'success', message: 'Event processed', dedup_key: expect.stringMatching(/^[0-9a-f]{32}$/) });
    await world.triage();
    const [incident] = await world.ports.incidents.open();
    expect(incident).toMatchObject({ status: 'triggered', severity: 1, troubles: [{ alarm: 'PagerDutyEvent', subject: 'registration' }] });

    const data = { routing_key: keys.pagerduty, dedup_key: opened.data.dedup_key } as never;
    world.clock.advance(60);
    expect((await acknowledge({ ...options(), data })).status).toBe(202);
    await world.triage();
    expect(await world.ports.incidents.open()).toMatchObject([
      { id: incident?.id, status: 'acknowledged', acknowledgements: [{ by: 'icinga' }] },
    ]);

    world.clock.advance(60);
    expect((await resolve({ ...options(), data })).status).toBe(202);
    await world.triage();
    expect(await world.ports.incidents.open()).toEqual([]);
  });

  it('sends a change, which opens nothing and can be found in the audit log', async () => {
    const sent = await change({
      ...options(),
      data: {
        routing_key: keys.pagerduty,
        payload: { summary: 'Build 42 is out', source: 'orders' },
        links: [{ href: 'https://ci.example.org' }],
      } as never,
    });
    expect([sent.status, sent.data]).toEqual([202, { status: 'success', message: 'Change event processed' }]);
    expect(world.received()).toEqual([]);
    const since = new Date(world.clock.now().getTime() - 1000);
    expect(await world.ports.auditLog.recent(since, 10)).toMatchObject([
      { action: 'report-change', actor: 'integration/icinga', resource: 'service/orders' },
    ]);
  });

  it('hears what is wrong with an event, as from PagerDuty', async () => {
    const answer = await trigger({
      ...options(),
      data: { routing_key: keys.pagerduty, payload: { summary: ' ', severity: 'bad' } } as never,
    });
    expect(answer.status).toBe(400);
    expect(answer.data).toEqual({
      status: 'invalid event',
      message: 'Event object is invalid',
      errors: [
        "'payload.summary' is missing or blank",
        "'payload.source' is missing or blank",
        "'payload.severity' is invalid (must be one of the following: critical, error, warning, info)",
      ],
    });
  });

  it('tries again after 429 by itself, and gets through when the minute is over', async () => {
    await server.close();
    world = doorsWorld({ operations: operationsWithDoors({ perMinute: 1 }) });
    server = await listening(world);
    const data = { routing_key: keys.pagerduty, payload } as never;
    expect((await trigger({ ...options(), data })).status).toBe(202);
    expect((await trigger({ ...options(), data })).status).toBe(429);
    world.clock.advance(60);
    expect((await trigger({ ...options(), data })).status).toBe(202);
    expect(world.received()).toHaveLength(2);
  });
});

describe('an event', () => {
  it('of a caller with a dedup_key is told that key, and repeated it is the same trouble', async () => {
    const world = doorsWorld();
    const given = event({ dedup_key: 'srv01/mysql' });
    expect(parsed(await world.enqueue(given))).toMatchObject({ dedup_key: 'srv01/mysql' });
    await world.enqueue(given);
    const [first, second] = world.received();
    expect(second?.dedupKey).toBe(first?.dedupKey);
    expect(second?.signalId).not.toBe(first?.signalId);
  });

  it.each([
    ['critical', 1],
    ['error', 2],
    ['warning', 3],
    ['info', 4],
  ])('that is %s has severity %i', async (severity, expected) => {
    const world = doorsWorld();
    await world.enqueue(event({ payload: { ...payload, severity } }));
    expect(world.received()).toMatchObject([{ severity: expected }]);
  });

  it('names what it is about where the config knows it, and Regions too', async () => {
    const world = doorsWorld();
    const details = { service: 'John Doe', region: 'us-west-2' };
    await world.enqueue(event({ payload: { ...payload, component: 'HMS-Primary', class: 'DiskFull', custom_details: details } }));
    await world.enqueue(event({ payload: { ...payload, component: 'John Doe', class: 'JohnDoe' } }));
    expect(world.received()).toMatchObject([
      { subject: 'hms', alarm: 'DiskFull', region: 'us-west-2' },
      { subject: 'registration', alarm: 'PagerDutyEvent', region: 'us-east-1' },
    ]);
  });

  it('takes images, links, clients and details of any shape', async () => {
    const world = doorsWorld();
    const extra = { client: 'Icinga', client_url: 'https://icinga.example.org', links: [{ href: 'https://graph.example.org' }] };
    const images = [{ src: 'https://graph.example.org/1.png', href: 'https://x.example.org', alt: 'a graph' }];
    expect((await world.enqueue(event({ ...extra, images, payload: { ...payload, custom_details: 'text', group: 7 } }))).statusCode).toBe(
      202,
    );
    expect((await world.enqueue(event({ images: 'none', links: 5 }))).statusCode).toBe(202);
    expect(world.received()[0]?.note).toContain('https://graph.example.org');
  });

  it('that is acknowledged goes before a storm', async () => {
    const world = doorsWorld();
    await world.enqueue(event({ event_action: 'acknowledge', dedup_key: 'a', payload: undefined }));
    expect(world.ports.signalQueue.depth('urgent-signals')).toBe(1);
  });

  it.each([
    ['is no JSON', '{', 'JSON parse error'],
    ['is a list', '[]', 'event'],
    ['has no key', event({ routing_key: undefined }), "'routing_key' is missing or blank"],
    ['has a key that nobody has', event({ routing_key: 'f'.repeat(32) }), "'routing_key' is not known"],
    ["has the key of another tool's door", event({ routing_key: keys.alertmanager }), "'routing_key' is not known"],
    ['has no action', event({ event_action: undefined }), "'event_action' is invalid"],
    ['resolves nothing in particular', event({ event_action: 'resolve' }), "'dedup_key'"],
    ['has a dedup_key beyond 255 characters', event({ dedup_key: 'x'.repeat(256) }), "'dedup_key' is too long"],
    ['has no payload', event({ payload: undefined }), "'payload' is missing or blank"],
  ])('that %s is 400 and says so', async (_, body, says) => {
    const world = doorsWorld();
    const answer = typeof body === 'string' ? await world.ask({ path: '/v2/enqueue', body }) : await world.enqueue(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain(says);
    expect(world.received()).toEqual([]);
  });

  it('of 512 KB is taken, and one of a byte more is not', async () => {
    const world = doorsWorld();
    const empty = JSON.stringify(event({ client: '' }));
    const body = (bytes: number) => JSON.stringify(event({ client: 'x'.repeat(bytes - empty.length) }));
    expect((await world.ask({ path: '/v2/enqueue', body: body(512 * 1024) })).statusCode).toBe(202);
    expect((await world.ask({ path: '/v2/enqueue', body: body(512 * 1024 + 1) })).statusCode).toBe(413);
    expect(world.received()[0]?.note.length).toBeLessThanOrEqual(2000);
  });

  it('that the queue does not take is not answered as if it were', async () => {
    const world = doorsWorld();
    world.ports.signalQueue.failNext('send', new ServiceUnavailable('throttled'));
    const answer = await world.enqueue(event());
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(answer.body).not.toContain('throttled');
  });
});

describe("an integration's allowance", () => {
  it('is used up, says when to come back, and is there again in the next minute', async () => {
    const world = doorsWorld({ operations: operationsWithDoors({ perMinute: 2 }), start: '2026-11-21T12:00:20Z' });
    const asked = async () => {
      const { statusCode, headers } = await world.enqueue(event());
      return [statusCode, headers['retry-after']];
    };
    expect([await asked(), await asked(), await asked()]).toEqual([
      [202, undefined],
      [202, undefined],
      [429, '40'],
    ]);
    world.clock.advance(39);
    expect(await asked()).toEqual([429, '1']);
    world.clock.advance(1);
    expect(await asked()).toEqual([202, undefined]);
  });

  it('is its own: another integration is let in', async () => {
    const world = doorsWorld({ operations: operationsWithDoors({ perMinute: 1 }) });
    await world.enqueue(event());
    expect((await world.enqueue(event())).statusCode).toBe(429);
    expect((await world.notify({ version: '4', status: 'firing', groupKey: 'g', alerts: [] })).statusCode).toBe(200);
  });

  it('lets in while nobody can count', async () => {
    const world = doorsWorld({ operations: operationsWithDoors({ perMinute: 1 }) });
    await world.enqueue(event());
    world.clock.advance(60);
    world.ports.allowances.failNext('take', new ServiceUnavailable('no table'));
    expect((await world.enqueue(event())).statusCode).toBe(202);
  });

  it('is not spent by those who have no key', async () => {
    const world = doorsWorld({ operations: operationsWithDoors({ perMinute: 1 }) });
    for (let i = 0; i < 3; i++) await world.enqueue(event({ routing_key: 'guess' }));
    expect((await world.enqueue(event())).statusCode).toBe(202);
  });
});

test('there is nothing at other paths and by other methods', async () => {
  const world = doorsWorld();
  expect((await world.ask({ path: '/', method: 'GET' })).statusCode).toBe(404);
  expect((await world.ask({ path: '/constructor', method: 'POST' })).statusCode).toBe(404);
  const get = await world.ask({ path: '/v2/enqueue', method: 'GET' });
  expect([get.statusCode, get.headers.allow]).toEqual([405, 'POST']);
});
