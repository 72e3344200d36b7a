import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptEvents } from '../../../functions/audit/events/accept.ts';
import { EventBody, type PatientRef, SubmittedEvent } from '../../../functions/audit/events/event.ts';
import { canonicalJson, type EventLeaf } from '../../../functions/audit/events/leaf.ts';
import { sequenceOnce } from '../../../functions/audit/log/sequence.ts';
import type { AuditEvents, AuditObjects } from '../../../functions/audit/ports.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { type Logger, silentLogger } from '../../../functions/common/logger.ts';
import { auditDetailTypes } from '../../../functions/common/names.ts';
import type { Metrics } from '../../../functions/maintenance/ports.ts';
import { auditDoors } from '../../support/audit-doors.ts';
import { submitted } from '../../support/submitted-events.ts';

/** A name and a date of birth, in a form that actions, services and patient references have too. */
const MARKER = 'jane-doe-19610412';
/** Parts of eight characters: three letters of it stand in a signature or a hash by chance, once in some runs. */
const holdsMarker = (text: string): boolean => /jane-doe|doe-1961|19610412/i.test(text);

/** The marker, as careful and as careless applications write it. */
const marked = fc.constantFrom(
  ...[
    MARKER,
    `Patient/${MARKER}`,
    `pat-${MARKER}`,
    `${MARKER}\nsecond line`,
    `${MARKER}\ud83d`,
    MARKER.toUpperCase(),
    `http://x/?q=${MARKER}`,
  ],
  ...[`1961-04-12T00:00:00.000Z ${MARKER}`, MARKER.repeat(300), ` ${MARKER}\u2028`],
);
/** The marker as a value of any kind. */
const markedValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: marked },
  marked.map((text) => [text]),
  marked.map((text) => ({ [text]: text })),
  marked.map((text) => ({ nested: { [text]: [text] } })),
);

const fields = Object.keys(SubmittedEvent.shape);

/** An event that is as it must be but for some of its fields, which have the marker, and with some of its own. */
const markedEvent = fc
  .record({
    fields: fc.dictionary(fc.constantFrom(...fields), markedValue, { maxKeys: 4 }),
    own: fc.dictionary(marked, markedValue, { maxKeys: 1 }),
    details: fc.option(fc.dictionary(marked, fc.oneof(markedValue, fc.integer(), fc.constant(2 ** 60)), { maxKeys: 3 }), {
      nil: undefined,
    }),
    at: fc.constantFrom('2026-11-21T12:00:00.000Z', '2026-11-21T13:00:00.000Z', '1961-04-12T00:00:00.000Z'),
  })
  .map(({ fields: wrong, own, details, at }): unknown => ({ ...submitted({ at }), ...(details ? { details } : {}), ...wrong, ...own }));

/** With nothing wrong but one field, so that no other refusal comes before the one of that field. */
const oneFieldMarked = fc
  .tuple(fc.constantFrom(...fields), fc.constantFrom(MARKER, { [MARKER]: MARKER }, [MARKER]))
  .map(([field, value]): unknown => ({ ...submitted(), [field]: value }));

/** Accepted by the door, with the marker wherever an event may have it. */
const acceptedEvent = fc.constantFrom('patientRef', 'userId', 'resource', 'userAgent', 'service', 'details').map((field): unknown =>
  submitted({
    ...{ userId: MARKER, resource: `Patient/${MARKER}`, userAgent: MARKER, service: MARKER, patientRef: MARKER },
    details: { [MARKER]: MARKER, field },
  }),
);

const entry = fc.oneof(
  { weight: 4, arbitrary: markedEvent },
  { weight: 2, arbitrary: oneFieldMarked },
  { weight: 2, arbitrary: acceptedEvent },
  markedValue,
);

/** A store that fails for some, with a message that repeats what it was given. */
const tellingStore = (auditEvents: AuditEvents, isDown: () => boolean): AuditEvents => ({
  ...auditEvents,
  async record(event) {
    if (isDown()) throw new (event.leaf.length % 2 ? ServiceUnavailable : Error)(`cannot put ${event.body}`);
    return auditEvents.record(event);
  },
});

/** Everything that somebody without a right to bodies may see, by where it is. */
async function seenBy(doors: ReturnType<typeof auditDoors>, answers: readonly string[]): Promise<readonly (readonly [string, string])[]> {
  const { ports, metrics, operations, lines } = doors;
  const region = operations.regions.primary;
  const seen: (readonly [string, string])[] = [
    ...answers.map((text) => ['answer', text] as const),
    ...lines.map((text) => ['log line', text] as const),
  ];
  for (const metric of metrics.recorded) seen.push(['metric', JSON.stringify(metric)]);
  for (const act of await ports.auditLog.recent(new Date(0), 1000)) seen.push(['act', JSON.stringify(act)]);
  for await (const path of ports.auditObjects.list(region, '')) {
    seen.push(['path', path], ['object', Buffer.from((await ports.auditObjects.get(region, path)) ?? []).toString('latin1')]);
  }
  const { events } = await ports.auditEvents.query({ from: new Date(0), until: new Date('2100-01-01') }, { limit: 1000 });
  for (const { eventId, leaf } of events) seen.push(['id', eventId], ['leaf', leaf]);
  return seen;
}

describe('no patient data reaches a leaf, a log line, a path, a metric, an act or an answer', () => {
  it('whatever is sent, by whichever door, and whatever fails', async () => {
    let [recorded, refused, objects] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { minLength: 1, maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
        marked,
        async (entries, outages, text) => {
          const twin = auditDoors();
          let turn = 0;
          const isDown = () => outages[turn++ % outages.length] ?? false;
          const doors = auditDoors({ ports: { ...twin.ports, auditEvents: tellingStore(twin.ports.auditEvents, isDown) } });
          const { ports } = doors;
          const answers = [
            await doors.send(entries),
            await doors.send(entries[0]),
            await doors.ask({
              body: `${entries.map((each) => JSON.stringify(each)).join('\n')}\n{"patientRef": "${text}`,
              headers: { 'content-type': 'application/x-ndjson' },
            }),
            await doors.ask({ body: `{"patientRef": "${text}` }),
            await doors.ask({ body: text, path: `/v1/${text}`, headers: { [text]: text } }),
          ].map(({ body }) => body);
          const messages = [
            doors.envelope({ events: entries }, { 'detail-type': auditDetailTypes.batch }),
            doors.envelope(entries[0]),
            text,
            `{"detail": "${text}`,
          ];
          for (const _ of outages) await doors.deliver(...messages);
          const sequencing = { ...ports, operations: doors.operations, region: doors.operations.regions.primary, clock: doors.clock };
          while ((await sequenceOnce(sequencing)).did !== 'nothing');

          const seen = await seenBy({ ...doors, ports: twin.ports }, answers);
          expect(seen.filter(([, each]) => holdsMarker(each))).toEqual([]);
          recorded += seen.filter(([where]) => where === 'leaf').length;
          refused += seen.filter(([where]) => where === 'act').length;
          objects += seen.filter(([where]) => where === 'object').length;
        },
      ),
      { numRuns: 60 },
    );
    expect(recorded).toBeGreaterThan(50); // or the test would have looked at nothing
    expect(refused).toBeGreaterThan(50);
    expect(objects).toBeGreaterThan(50);
  });
});

describe('no type lets it through', () => {
  it('to a leaf, a log line, a path or a metric', async () => {
    const [first] = acceptEvents(submitted({ patientRef: 'pat-19ab77', details: { note: 'x' } }), {
      ...{ policy: auditDoors().operations.audit, now: new Date('2026-11-21T12:00:00.000Z'), submittedBy: 'x' },
    }).accepted;
    const body = EventBody.parse(first?.body);
    const canonical = canonicalJson(body);
    const patientRef: PatientRef | undefined = body.patientRef;
    const log: Logger = silentLogger;
    const { eventId, outcome } = body;

    log.info('recorded', { eventId, outcome, action: body.action, count: 3, at: new Date(0), among: [eventId] });
    // @ts-expect-error a patient reference in a log line
    log.info('recorded', { patientRef });
    // @ts-expect-error or as its message
    log.warn(body.resource);
    // @ts-expect-error who did it
    log.error('failed', { userId: body.userId });
    // @ts-expect-error where from
    log.error('failed', { from: { address: body.ipAddress } });
    // @ts-expect-error what else there is, by itself
    log.error('failed', { note: body.details?.note });
    // @ts-expect-error a whole body
    log.info('recorded', { body });
    // @ts-expect-error or in a list
    log.info('recorded', { bodies: [body] });
    // @ts-expect-error or as text
    log.info('recorded', { canonical });

    const leaf = { format: 'codeblue-audit-leaf/1', eventId, recordedAt: body.at, outcome } as const;
    const good: EventLeaf = { ...leaf, action: body.action, commitment: '0'.repeat(64) };
    // @ts-expect-error what it was done to is no action
    const withResource: EventLeaf = { ...leaf, action: body.resource, commitment: '' };
    // @ts-expect-error the body is no commitment to it
    const withBody: EventLeaf = { ...leaf, action: body.action, commitment: canonical };
    // @ts-expect-error a body is no leaf
    const bodyAsLeaf: EventLeaf = body;
    expect([good, withResource, withBody, bodyAsLeaf]).toHaveLength(4);

    const putIt = (objects: AuditObjects, metrics: Metrics, region: Region) => {
      // @ts-expect-error an object named after a patient
      void objects.create(body.resource, new Uint8Array(), 'kept');
      // @ts-expect-error a checkpoint as well
      void objects.publishCheckpoint(canonical, new Uint8Array(), undefined);
      // @ts-expect-error a metric of one
      void metrics.put({ capability: 'audit', name: 'x', value: 1, unit: 'Count', dimensions: { Region: region, Patient: body.userId } });
    };
    expect(putIt).toBeTypeOf('function');
  });
});
