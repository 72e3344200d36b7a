import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../../functions/incidents/models.ts';
import { aSignal, dedupKeyOf } from '../../support/incidents.ts';
import { ringing, type TriageWorld, triageWorld } from '../../support/triage-world.ts';

/** Changes of a few alarms of two services within half an hour; the same alarm may change twice at one moment. */
const change = fc.record({
  alarm: fc.constantFrom('ServiceDown', 'HighLatency', 'ErrorRate'),
  subject: fc.constantFrom('orders', 'imaging'),
  severity: fc.constantFrom(1, 2, 3, 4),
  after: fc.integer({ min: 0, max: 1800 }),
  action: fc.constantFrom('trigger', 'trigger', 'resolve', 'acknowledge'),
});
type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

const inhibitions = [{ source: 'ErrorRate', silences: ['HighLatency'] }];
const newWorld = () => triageWorld({ policy: { inhibitions } });

const signalOf = (world: TriageWorld, { alarm, subject, severity, after, action }: Change): Signal =>
  aSignal({
    alarm,
    subject,
    severity,
    action,
    at: world.at(after),
    signalId: dedupKeyOf(JSON.stringify([alarm, subject, severity, after, action])),
  });

/** Batches of one order of the deliveries: `cuts` says how many signals each batch has. */
function batches<T>(deliveries: readonly T[], cuts: readonly number[]): readonly (readonly T[])[] {
  const found: T[][] = [];
  for (let from = 0, batch = 0; from < deliveries.length; batch++) {
    const size = cuts[batch % cuts.length] ?? 1;
    found.push(deliveries.slice(from, from + size));
    from += size;
  }
  return found;
}

const story = fc.array(change, { minLength: 1, maxLength: 25 });
const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
/** An order of `length` deliveries in which each thing comes at least once: its index in the story, drawn by keys that are sorted. */
const delivery = fc.infiniteStream(fc.record({ key: fc.integer({ min: 0, max: 1000 }), times: fc.integer({ min: 1, max: 3 }) }));

function delivered<T>(things: readonly T[], order: Iterable<{ readonly key: number; readonly times: number }>): readonly T[] {
  const drawn = order[Symbol.iterator]();
  const next = () => drawn.next().value ?? { key: 0, times: 1 };
  const copies = things.flatMap((thing) => Array.from({ length: next().times }, () => ({ thing, key: next().key })));
  return copies.sort((a, b) => a.key - b.key).map(({ thing }) => thing);
}

/** By the definition: what each alarm's newest change says, one that rings before one that is well; the worst since it was last well. */
function ringsInTheEnd(changes: readonly Change[]): readonly string[] {
  const byAlarm = Map.groupBy(
    changes.filter(({ action }) => action !== 'acknowledge'),
    ({ alarm, subject }) => `${alarm} of ${subject}`,
  );
  return [...byAlarm]
    .flatMap(([name, of]) => {
      const lastWell = Math.max(-1, ...of.filter(({ action }) => action === 'resolve').map(({ after }) => after));
      const since = of.filter(({ action, after }) => action === 'trigger' && after >= lastWell);
      return since.length === 0 ? [] : [`${name}: ${Math.min(...since.map(({ severity }) => severity))}`];
    })
    .sort();
}

/** Time enough for what flaps to be quiet. */
async function untilQuiet(world: TriageWorld): Promise<void> {
  world.clock.advance(7200);
  await world.release();
}

describe('signals in any order, any batches and any number of times', () => {
  it('leave open in the end what rings in the end, and each has exactly one outcome', async () => {
    await fc.assert(
      fc.asyncProperty(story, delivery, cuts, async (changes, order, sizes) => {
        const world = newWorld();
        const signals = changes.map((each) => signalOf(world, each));
        const outcomes: string[] = [];
        for (const batch of batches(delivered(signals, order), sizes)) {
          const counts = await world.triage(batch);
          outcomes.push(...Object.entries(counts).flatMap(([outcome, count]) => Array.from({ length: count }, () => outcome)));
        }
        await untilQuiet(world);

        expect(ringing(await world.open())).toEqual(ringsInTheEnd(changes));
        const distinct = new Set(signals.map(({ signalId }) => signalId));
        expect(outcomes).toHaveLength(distinct.size); // each counted once, however often it came
        for (const signal of signals) {
          const told = await world.outcome(signal);
          expect(told).toBeDefined();
          if (told?.outcome !== 'ignored' && told?.outcome !== 'silenced')
            expect(told?.incidentId && (await world.ports.incidents.get(told.incidentId))).toBeDefined();
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never put an alarm on an incident that is milder than it, and have everybody told of what is open', async () => {
    await fc.assert(
      fc.asyncProperty(story, delivery, cuts, async (changes, order, sizes) => {
        const world = newWorld();
        const signals = changes.map((each) => signalOf(world, each));
        for (const batch of batches(delivered(signals, order), sizes)) {
          await world.triage(batch);
          const told = new Set(world.told());
          for (const incident of await world.open()) {
            const worst = Math.min(...incident.troubles.filter(({ status }) => status === 'firing').map(({ severity }) => severity));
            expect(incident.severity).toBeLessThanOrEqual(worst);
            expect(told).toContain(`${incident.id}-${incident.generation}`);
          }
          world.clock.advance(30);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('tell a P0 at the moment at which it is triaged, whatever is open', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          change.map((each) => ({ ...each, severity: Math.max(2, each.severity) as 2 | 3 | 4 })),
          { maxLength: 12 },
        ),
        cuts,
        async (changes, sizes) => {
          const world = newWorld();
          for (const batch of batches(
            changes.map((each) => signalOf(world, each)),
            sizes,
          ))
            await world.triage(batch);
          const before = world.told().length;
          world.clock.advance(2000);
          const worst = aSignal({ alarm: 'DataLoss', subject: 'orders', severity: 1, at: world.at(2000) });
          await world.triage([worst]);
          expect(world.told().length).toBe(before + 1);
          expect((await world.open()).find(({ severity }) => severity === 1)).toMatchObject({
            escalatesFrom: world.at(2000),
            status: 'triggered',
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('survivors of a silence', () => {
  it('are told once each, and nothing else is', async () => {
    await fc.assert(
      fc.asyncProperty(story, delivery, cuts, fc.integer({ min: 1, max: 5 }), async (changes, order, sizes, looks) => {
        const world = newWorld();
        await world.silence('sil-all', 0, 7200);
        const signals = changes.map((each) => signalOf(world, each));
        for (const batch of batches(delivered(signals, order), sizes)) await world.triage(batch);
        expect(await world.open()).toEqual([]);
        expect(world.told()).toEqual([]);

        world.clock.advance(7200);
        for (let look = 0; look < looks; look++) await world.release();
        const open = await world.open();
        expect(ringing(open)).toEqual(ringsInTheEnd(changes));
        expect(world.told().toSorted()).toEqual(open.map(({ id }) => `${id}-1`).toSorted());
        expect(await world.ports.incidents.heldBack()).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an alarm that flaps', () => {
  it('pages a bounded number of times while it does, and once afterwards if it still rings', async () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 290 }), { minLength: 12, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(gaps, async (waits) => {
        const world = newWorld();
        let after = 0;
        for (const [index, wait] of waits.entries()) {
          const at = world.at(after);
          await world.triage([aSignal({ at, action: index % 2 === 0 ? 'trigger' : 'resolve' })]);
          world.clock.advance(wait);
          after += wait;
          await world.release();
        }
        expect(world.told().length).toBeLessThanOrEqual(3); // changes 1, 3 and 5; from the seventh on it flaps, since seven of them fit into half an hour
        const before = world.told().length;
        await untilQuiet(world);
        await world.release();
        expect(world.told().length).toBe(before + (waits.length % 2));
      }),
      { numRuns: 40 },
    );
  });
});
