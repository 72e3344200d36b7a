import { beforeEach, describe, expect, it } from 'vitest';
import { incidentsPort } from '../../functions/aws/incidents.ts';
import type { Signal } from '../../functions/incidents/models.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { aSignal, dedupKeyOf, home } from '../support/incidents.ts';
import { createTables, motoSettings, oneCallAtATime, resetMoto } from '../support/moto.ts';
import { ringing, type TriageWorld, triageWorld } from '../support/triage-world.ts';

const storyIn = (world: TriageWorld): readonly Signal[] => [
  aSignal({ at: world.at(0), severity: 3 }),
  aSignal({ at: world.at(5), alarm: 'HighLatency', severity: 1 }),
  aSignal({ at: world.at(10), subject: 'imaging' }),
  aSignal({ at: world.at(20), subject: 'imaging', action: 'resolve' }),
  aSignal({ at: world.at(30), subject: 'imaging' }),
  aSignal({ at: world.at(31), subject: 'quiet' }),
  aSignal({ at: world.at(40), action: 'resolve' }),
];

describe('triage over the state table', () => {
  let world: TriageWorld;
  beforeEach(async () => {
    await resetMoto();
    await createTables();
    oneCallAtATime(home);
    world = triageWorld({}, incidentsPort(motoSettings(manualClock('2026-11-18T07:00:00Z'))));
  });

  it('comes to what it comes to in memory', async () => {
    const memory = triageWorld();
    for (const each of [memory, world]) {
      await each.silence('sil-quiet', 0, 600, { subject: aSignal({ subject: 'quiet' }).subject });
      for (const signal of storyIn(each)) await each.triage([signal]);
      each.clock.advance(600);
      expect(await each.release()).toBe(1);
    }
    expect(await world.open()).toEqual(await memory.open());
    expect(ringing(await world.open())).toHaveLength(3);
    for (const { id } of await memory.ports.incidents.recent(new Date(0), 10)) {
      expect(await world.ports.incidents.get(id)).toEqual(await memory.ports.incidents.get(id));
      expect(await world.ports.incidents.timeline(id)).toEqual(await memory.ports.incidents.timeline(id));
    }
    expect(world.told()).toEqual(memory.told());
  });

  it('does a batch while others do theirs', async () => {
    const batch = (mark: string) =>
      Array.from({ length: 20 }, (_, index) =>
        aSignal({
          at: world.at(index / 10),
          subject: `s${index % 4}`,
          dedupKey: dedupKeyOf(mark, `${index % 8}`),
          signalId: `${mark} ${index}`,
        }),
      );
    const batches = ['one', 'two', 'three'].map(batch);
    const counts = await Promise.all(batches.map((signals) => world.triage(signals)));
    expect(counts.flatMap((each) => Object.values(each)).reduce((sum, count) => sum + count, 0)).toBe(60);
    const open = await world.open();
    expect(open.map(({ groupKey }) => groupKey).toSorted()).toEqual(['s0', 's1', 's2', 's3'].map((subject) => `${subject}@us-east-1`));
    expect(ringing(open)).toHaveLength(24);
  });
});
