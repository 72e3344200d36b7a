import { beforeAll, describe, expect, it } from 'vitest';
import { breakageNamed } from '../../simulation/breakages.ts';
import { failoverDocument } from '../../simulation/failover-document.ts';
import type { Play } from '../../simulation/play.ts';
import { Simulator } from '../../simulation/simulator.ts';

let document: unknown;
beforeAll(() => {
  document = failoverDocument();
});

async function playFrom(simulator: Simulator, from: number, count: number): Promise<readonly (Play & { readonly seed: number })[]> {
  const plays = [];
  for (let seed = from; seed < from + count; seed++) plays.push({ seed, ...(await simulator.run(seed)) });
  return plays;
}

const broken = (plays: readonly (Play & { readonly seed: number })[]) =>
  plays.flatMap(({ seed, scenario, violations }) =>
    violations.map(({ promise, says }) => `seed ${seed} (${scenario.title}): ${promise} ${says}`),
  );

describe('the simulation', () => {
  it('finds no broken promise in the protocol as it is', async () => {
    const plays = await playFrom(new Simulator(document), 1, 250);
    expect(broken(plays)).toEqual([]);
    // It would find none either if nothing happened.
    expect(plays.reduce((sum, { moves }) => sum + moves, 0)).toBeGreaterThan(100);
    expect(plays.every(({ commits }) => commits > 0)).toBe(true);
  });

  it('is the same run for the same seed', async () => {
    const timeline = async () => {
      const lines: string[] = [];
      const { end, events } = await new Simulator(document).run(7, (at, who, what) => lines.push(`${at} ${who} ${what}`));
      return { lines, end, events };
    };
    const first = await timeline();
    expect(first.lines.length).toBeGreaterThan(20);
    expect(await timeline()).toEqual(first);
  });

  // Those that show early; `npm run simulate -- --breakages` has all.
  it.each([
    ['lease-forgotten-at-restart', 'P1'],
    ['renewal-while-claimed', 'P1'],
    ['fence-wait-skipped', 'P5'],
    ['promotion-before-the-commit', 'P1'],
    ['closing-mark-ignored', 'P5'],
    ['intent-not-recorded', 'P4'],
    ['votes-never-expire', 'P6'],
    ['one-vote-is-a-majority', 'P6'],
    ['replaced-one-not-closed', 'P1'],
    ['replica-of-the-damaged-one', 'P5'],
  ])('finds "%s"', async (name, promise) => {
    const simulator = new Simulator(document, breakageNamed(name).flaws);
    for (let seed = 1; seed <= 200; seed++) {
      const [first] = (await simulator.run(seed)).violations;
      if (!first) continue;
      expect(first.promise).toBe(promise);
      return;
    }
    expect.fail(`not found in 200 runs`);
  });
});
