import { describe, expect, it, test } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { doorsWorld, keys, listening, operationsWithDoors } from '../../support/doors.ts';

/** An alert as Alertmanager 0.19 and later send it: a fingerprint, nanoseconds, and year 1 for an end that has not come. */
const alert = (given: { readonly status?: string; readonly labels?: Record<string, string>; readonly fingerprint?: string } = {}) => ({
  status: 'firing',
  labels: { alertname: 'InstanceDown', instance: 'orders-7:9100', job: 'orders', severity: 'critical' },
  annotations: { summary: 'orders-7 is down', description: 'It has not answered for 5 minutes.' },
  startsAt: '2026-11-21T11:58:26.739266876+02:00',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus.example.org/graph?g0.expr=up+%3D%3D+0',
  fingerprint: '1b2c3d4e5f60718a',
  ...given,
});

const notification = (alerts: readonly object[], given: object = {}) => ({
  receiver: 'codeblue',
  status: 'firing',
  alerts,
  groupLabels: { alertname: 'InstanceDown' },
  commonLabels: { alertname: 'InstanceDown', job: 'orders' },
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example.org',
  version: '4',
  groupKey: '{}:{alertname="InstanceDown"}',
  truncatedAlerts: 0,
  ...given,
});

const resolved = (given: Parameters<typeof alert>[0] = {}) => alert({ status: 'resolved', ...given });

describe("Alertmanager's webhook", () => {
  it('opens an incident over real HTTP, and resolves it when the alert is', async () => {
    const world = doorsWorld();
    const server = await listening(world);
    const post = (body: object) =>
      fetch(`http://127.0.0.1:${server.port}/alertmanager`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'User-Agent': 'Alertmanager/0.28.1', Authorization: `Bearer ${keys.alertmanager}` },
        body: `${JSON.stringify(body)}\n`,
      });
    try {
      expect((await post(notification([alert()]))).status).toBe(200);
      await world.triage();
      expect(await world.ports.incidents.open()).toMatchObject([
        { severity: 1, troubles: [{ alarm: 'AlertmanagerAlert', subject: 'orders', status: 'firing' }] },
      ]);
      world.clock.advance(300);
      expect((await post(notification([resolved()], { status: 'resolved' }))).status).toBe(200);
      await world.triage();
      expect(await world.ports.incidents.open()).toEqual([]);
    } finally {
      await server.close();
    }
  });

  it('tells two instances of a service apart: the end of one is not the end of the other', async () => {
    const world = doorsWorld();
    const other = { fingerprint: 'ffffffffffffffff' };
    await world.notify(notification([alert(), alert(other)]));
    await world.triage();
    world.clock.advance(60);
    await world.notify(notification([resolved(), alert(other)]));
    await world.triage();
    const [incident] = await world.ports.incidents.open();
    expect(incident?.troubles.map(({ status }) => status).sort()).toEqual(['firing', 'resolved']);
  });

  it('rings again after a restart of Prometheus, which tells of the old beginning', async () => {
    const world = doorsWorld();
    for (const body of [notification([alert()]), notification([resolved()], { status: 'resolved' }), notification([alert()])]) {
      await world.notify(body);
      await world.triage();
      world.clock.advance(60);
    }
    expect(await world.ports.incidents.open()).toMatchObject([{ status: 'triggered' }]);
  });

  it('repeated by repeat_interval changes nothing', async () => {
    const world = doorsWorld();
    for (let i = 0; i < 3; i++) {
      await world.notify(notification([alert()]));
      await world.triage();
      world.clock.advance(60);
    }
    const [incident, ...rest] = await world.ports.incidents.open();
    expect(rest).toEqual([]);
    expect(incident).toMatchObject({ generation: 1, troubles: [{ signals: 3 }] });
    expect(incident?.troubles[0]?.changes).toHaveLength(1);
  });

  it('of an Alertmanager without fingerprints goes by the labels, in whatever order', async () => {
    const world = doorsWorld();
    const { fingerprint: _, ...bare } = alert();
    const turned = Object.fromEntries(Object.entries(bare.labels).reverse());
    await world.notify(
      notification([bare, { ...bare, labels: turned }, { ...bare, labels: { ...bare.labels, instance: 'orders-8:9100' } }]),
    );
    const [first, second, third] = world.received().map(({ dedupKey }) => dedupKey);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it.each([
    ['critical', 1],
    ['Warning', 3],
    ['none', 4],
    ['P1', 2],
    ['3', 3],
    ['John Doe', 2],
    ['constructor', 2],
    [undefined, 2],
  ])('grades severity %s as %i', async (severity, expected) => {
    const world = doorsWorld();
    await world.notify(notification([alert({ labels: severity === undefined ? {} : { severity } })]));
    expect(world.received()).toMatchObject([{ severity: expected }]);
  });

  it('that leaves alerts out is a signal of its own, as severe as the worst that it shows, until the group is well', async () => {
    const world = doorsWorld();
    await world.notify(notification([alert(), alert({ labels: { severity: 'info' } })], { truncatedAlerts: 17 }));
    const signals = world.received();
    const hidden = signals.find(({ alarm }) => alarm === 'AlertsTruncated');
    expect(signals).toHaveLength(3);
    expect(hidden).toMatchObject({ action: 'trigger', severity: 1, subject: 'orders', note: expect.stringContaining('17') });
    await world.notify(notification([resolved()], { status: 'resolved' }));
    expect(world.received()).toMatchObject([{ action: 'resolve' }, { action: 'resolve', dedupKey: hidden?.dedupKey }]);
    await world.notify(notification([resolved()], { status: 'resolved', truncatedAlerts: 2 }));
    expect(world.received().at(-1)).toMatchObject({ action: 'trigger', dedupKey: hidden?.dedupKey });
  });

  it('beyond its allowance is 503, which Alertmanager tries again: a 429 would lose it', async () => {
    const world = doorsWorld({ operations: operationsWithDoors({ perMinute: 1 }) });
    await world.notify(notification([]));
    const answer = await world.notify(notification([alert()]));
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '60']);
  });

  it('that the queue does not take is 503', async () => {
    const world = doorsWorld();
    world.ports.signalQueue.failNext('send', new ServiceUnavailable('throttled'));
    expect((await world.notify(notification([alert()]))).statusCode).toBe(503);
  });

  it.each([
    ['no JSON', 'null}'],
    ['another version', notification([], { version: '5' })],
    ['no alerts', notification([], { alerts: 'none' })],
    ['an alert without status', notification([{ labels: {} }])],
  ])('with %s is 400', async (_, body) => {
    const world = doorsWorld();
    expect((await world.notify(body)).statusCode).toBe(400);
    expect(world.received()).toEqual([]);
  });

  it('beyond 4 MB is 413', async () => {
    const world = doorsWorld();
    expect((await world.notify(notification([], { externalURL: 'x'.repeat(4 * 1024 * 1024) }))).statusCode).toBe(413);
  });

  it.each([
    ['no key', {}],
    ['another key', { Authorization: 'Bearer guess' }],
    ["PagerDuty's key", { Authorization: `Bearer ${keys.pagerduty}` }],
    ['the digest of the key', { Authorization: `Bearer ${operationsWithDoors().incidents.integrations[1]?.keySha256}` }],
    ['the key as another scheme', { Authorization: `Basic ${keys.alertmanager}` }],
  ])('with %s is 401', async (_, headers) => {
    const world = doorsWorld();
    const answer = await world.ask({ path: '/alertmanager', headers, body: JSON.stringify(notification([alert()])) });
    expect(answer.statusCode).toBe(401);
    expect(world.received()).toEqual([]);
  });
});

test('a signal of severity 1 and one of severity 2 of the same notification take different queues', async () => {
  const world = doorsWorld();
  await world.notify(notification([alert(), alert({ labels: { severity: 'error' } })]));
  expect([world.ports.signalQueue.depth('urgent-signals'), world.ports.signalQueue.depth('signals')]).toEqual([1, 1]);
});
