import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { regionsOf } from '../../../functions/common/operations-lookup.ts';
import { severityOfLabel } from '../../../functions/incidents/ingest/severity-of.ts';
import { dedupKeyOf, noteOf } from '../../../functions/incidents/ingest/signal-parts.ts';
import { subjectOf } from '../../../functions/incidents/ingest/subject-of.ts';
import { doorsWorld, keys, operationsWithDoors } from '../../support/doors.ts';

const operations = operationsWithDoors();
const ours = new Set([
  ...regionsOf(operations),
  ...operations.databases.map(({ id }) => id),
  ...[...operations.failover.services, ...operations.failover.capacity].map(({ name }) => name),
  ...operations.incidents.services.map(({ id }) => id),
]);
const alarms = new Set(['PagerDutyEvent', 'AlertmanagerAlert', 'AlertsTruncated', 'DiskFull']);
const statuses = new Set([200, 202, 400, 401, 404, 405, 413]);

/** Words as an attacker, a clumsy tool or a patient's name would have them, and now and then one of ours. */
const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('John Doe', 'ORDERS', 'hms-primary.x.rds.amazonaws.com', '__proto__', 'constructor', 'toString', '\uffff\ud800', ''),
  fc.constantFrom(...ours),
);
const anything = fc.oneof({ weight: 3, arbitrary: word }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
const shaped = <T extends string>(...fields: readonly T[]) =>
  fc.record(Object.fromEntries(fields.map((field) => [field, anything])), { requiredKeys: [] });

const pagerduty = fc
  .record({
    event: shaped('event_action', 'dedup_key', 'client', 'links', 'images'),
    action: fc.constantFrom('trigger', 'acknowledge', 'resolve'),
    isWell: fc.boolean(),
    payload: shaped('summary', 'source', 'component', 'group', 'class', 'timestamp', 'custom_details', 'severity'),
  })
  .map(({ event, action, isWell, payload }) => {
    const sound = isWell ? { summary: 's', source: 'x', severity: 'error' } : {};
    return {
      ...event,
      ...(isWell ? { event_action: action, dedup_key: 'k' } : {}),
      routing_key: keys.pagerduty,
      payload: { ...payload, ...sound },
    };
  });

const labels = fc.dictionary(fc.oneof(word, fc.constantFrom('service', 'job', 'instance', 'region', 'severity', 'alertname')), word, {
  maxKeys: 6,
});
const alertmanager = fc
  .record({
    frame: shaped('version', 'status', 'groupKey', 'truncatedAlerts', 'commonLabels', 'alerts'),
    isWell: fc.boolean(),
    alerts: fc.array(fc.record({ status: fc.constantFrom('firing', 'resolved'), labels, annotations: labels, fingerprint: word }), {
      maxLength: 4,
    }),
    truncatedAlerts: fc.nat({ max: 2 }),
  })
  .map(({ frame, isWell, alerts, truncatedAlerts }) =>
    isWell ? { version: '4', status: 'firing', groupKey: 'g', truncatedAlerts, commonLabels: {}, alerts } : { ...frame, alerts },
  );

const request = fc.oneof(
  pagerduty.map((body) => ({ path: '/v2/enqueue', headers: {}, body: JSON.stringify(body) })),
  pagerduty.map((body) => ({ path: '/v2/change/enqueue', headers: {}, body: JSON.stringify(body) })),
  alertmanager.map((body) => ({
    path: '/alertmanager',
    headers: { Authorization: `Bearer ${keys.alertmanager}` },
    body: JSON.stringify(body),
  })),
  fc.record({
    path: fc.oneof(word, fc.constantFrom('/v2/enqueue', '/v2/change/enqueue', '/alertmanager')),
    headers: fc.dictionary(fc.constantFrom('Authorization', 'X'), word),
    body: fc.oneof(word, fc.json()),
  }),
);

test('whatever comes to the doors: an answer, never an error, and of what a tool wrote nothing that a page can hold', async () => {
  const outcomes = new Map<number, number>();
  let signals = 0;
  await fc.assert(
    fc.asyncProperty(request, async (given) => {
      const world = doorsWorld({ operations });
      const { statusCode, body } = await world.ask(given);
      outcomes.set(statusCode, (outcomes.get(statusCode) ?? 0) + 1);
      expect(statuses).toContain(statusCode);
      expect(() => JSON.parse(body)).not.toThrow();
      const received = world.received();
      signals += received.length;
      if (statusCode >= 400) expect(received).toEqual([]);
      for (const { subject, alarm, region, note, dedupKey, signalId } of received) {
        expect(ours).toContain(subject);
        expect(alarms).toContain(alarm);
        expect(regionsOf(operations)).toContain(region);
        expect(note.length).toBeLessThanOrEqual(2000);
        expect(dedupKey).toMatch(/^v1:[0-9a-f]{64}$/);
        expect(signalId).toMatch(/^(pagerduty\/icinga|alertmanager\/prometheus)\/request-\d+(\/(\d+|truncated))?$/);
      }
    }),
    { numRuns: 600, seed: 4 },
  );
  // The net was out where the fish are: events that were taken, and events that were refused.
  for (const status of [200, 202, 400, 401, 404]) expect(outcomes.get(status) ?? 0).toBeGreaterThan(10);
  expect(signals).toBeGreaterThan(100);
});

test('a subject is of the config, whatever the words', () => {
  fc.assert(
    fc.property(fc.array(anything), (words) => {
      expect(ours).toContain(subjectOf(words, operations, 'registration'));
    }),
  );
  expect(subjectOf(['nothing', 'billing-cluster.cluster-x.us-east-1.rds.amazonaws.com:5432'], operations, 'registration')).toBe('billing');
  expect(subjectOf([' Orders:8080 '], operations, 'registration')).toBe('orders');
});

test('a severity is one of four, and a note is no longer than it may be', () => {
  fc.assert(
    fc.property(anything, fc.array(fc.tuple(word, anything)), (label, lines) => {
      expect([1, 2, 3, 4]).toContain(severityOfLabel(label, operations.incidents));
      const note = noteOf(lines);
      expect(note.length).toBeLessThanOrEqual(2000);
      expect(note.isWellFormed()).toBe(true);
    }),
  );
});

test('a note of long lines is cut, and not in the middle of a character', () => {
  const long = noteOf([
    ['summary', 'x'.repeat(3000)],
    ['source', 'y'.repeat(3000)],
  ]);
  expect(long).toHaveLength(2000);
  const cut = noteOf([['a', '😀'.repeat(1500)]]);
  expect([cut.length, cut.isWellFormed()]).toEqual([2000, true]);
});

test('two troubles have one key only if all of their words are the same', () => {
  const words = fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(words, words, (a, b) => {
      expect(dedupKeyOf(...a) === dedupKeyOf(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test('no door makes a Subject but by subjectOf', () => {
  const doors = fileURLToPath(new URL('../../../functions/incidents/ingest', import.meta.url));
  const makers = readdirSync(doors).filter((file) => /\bSubject\.(parse|safeParse)\(/.test(readFileSync(join(doors, file), 'utf8')));
  expect(makers).toEqual(['subject-of.ts']);
});
