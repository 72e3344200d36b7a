import type { Region } from '../functions/common/ids.ts';
import type { ClockError } from './machine-clock.ts';
import { candidates, primary, standby, tertiary } from './operations.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { type Micros, toMicros } from './virtual-time.ts';

/** What the error of clocks and the time of a commit may add up to, of the 10 s of `lease.margin`; the rest is drift (below 0.3 s in all). */
const marginBudget = 9.6;

/**
 * Errors that the margin allows: in all, the steps of the clocks that a wait depends on, and the time a commit takes, are within it. Where a
 * run is `wild`, Regions are a minute apart, which must not matter to what the databases accept.
 */
export function drawClocks(random: Random, wild: boolean): Pick<Scenario, 'regionClocks' | 'databaseClocks' | 'commitTakes'> {
  const shares = [standby, tertiary, 'database', 'commit'].map((name) => ({ name, weight: random.chance(0.5) ? random.next() : 0 }));
  const total =
    Math.max(
      1,
      shares.reduce((sum, { weight }) => sum + weight, 0),
    ) / (random.chance(0.5) ? marginBudget : random.between(0, marginBudget));
  const share = (name: string) => toMicros((shares.find((each) => each.name === name)?.weight ?? 0) / total);
  const drift = () => random.between(-0.002, 0.002);
  const stepAt = () => toMicros(random.between(5, 80));
  const offset = () => toMicros(wild ? random.between(-60, 60) : random.between(-0.05, 0.05));
  const clock = (by: Micros): ClockError => ({ offset: offset(), drift: drift(), ...(by === 0 ? {} : { step: { at: stepAt(), by } }) });
  const regionClocks = new Map<Region, ClockError>([
    [primary, clock(0)],
    [standby, clock(share(standby))],
    [tertiary, clock(share(tertiary))],
  ]);
  const databaseStep = share('database') * (random.chance(0.7) ? -1 : 1);
  const databaseClocks = new Map<Region, ClockError>(candidates.map((region) => [region, clock(databaseStep)]));
  return { regionClocks, databaseClocks, commitTakes: share('commit') + 2_000 };
}
