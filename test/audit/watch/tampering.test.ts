import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TamperingName, tamperingNames, tamperings } from './tampering.ts';
import { copyOf, threeGenerations, type WorldState, watchedWorld } from './watched-world.ts';

describe('a log of three generations, the last of which nobody has looked at yet', () => {
  let honest: { readonly state: WorldState; readonly older: WorldState };
  beforeAll(async () => {
    honest = await threeGenerations();
  }, 120_000);

  it('is found sound by an incremental look and by a full one', async () => {
    const world = watchedWorld(copyOf(honest.state));
    const look = await world.check();
    expect(look).toMatchObject({ findings: [], unreachable: [], entries: 701 });
    const full = await world.verify();
    expect(full).toMatchObject({ did: 'finished', findings: [], state: { entries: 2102, events: 2100, found: 0 } });
    expect((await world.check()).entries).toBeLessThan(10); // its own acts
  });

  async function alarmsAfter(name: TamperingName, draw: (below: number) => number): Promise<readonly string[]> {
    const world = watchedWorld(copyOf(honest.state));
    await tamperings[name].do({ world, older: honest.older, draw });
    const look = await world.check();
    const full = await world.verify();
    const found = [...look.findings, ...(full.did === 'nothing' ? [] : full.findings)];
    return [...new Set(found.map(({ code }) => code))];
  }

  it.each(tamperingNames)('when %s, the right alarm rings', async (name) => {
    const alarms = await alarmsAfter(name, (below) => Math.floor(below / 2));
    expect(alarms).toContain(tamperings[name].alarm);
  });

  it('rings the right alarm wherever somebody changed it', async () => {
    const drawn = fc.record({ name: fc.constantFrom(...tamperingNames), draws: fc.infiniteStream(fc.nat()) });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ name, draws }) => {
        const draw = (below: number) => (draws.next().value ?? 0) % below;
        expect(await alarmsAfter(name, draw)).toContain(tamperings[name].alarm);
      }),
      { numRuns: 25, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);
});
