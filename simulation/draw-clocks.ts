import type { Region } from '../functions/common/ids.ts';
import type { ClockError } from './machine-clock.ts';
import { candidates, primary, standby, tertiary } from './operations.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { type Micros, toMicros } from './virtual-time.ts';

/** What the error of clocks and the time of a commit may add up to, of the 10 s of `lease.margin`; the rest is drift (below 0.3 s in all). */
const marginBudget = 9.6;

const sharers = [standby, tertiary, 'database', 'commit'] as const;
type ShareOf = (typeof sharers)[number];

/** Seconds of the margin that each error takes: often one takes all of it, which is where a wait that is too short shows. */
function drawShares(random: Random): ReadonlyMap<ShareOf, number> {
  if (random.chance(0.4)) return new Map([[random.pick(sharers), marginBudget]]);
  const total = random.between(0, marginBudget);
  const weights = sharers.map((name) => [name, random.chance(0.5) ? random.next() : 0] as const);
  const sum = Math.max(
    1,
    weights.reduce((all, [, weight]) => all + weight, 0),
  );
  return new Map(weights.map(([name, weight]) => [name, (weight / sum) * total]));
}

/**
 * Errors that the margin allows: in all, the steps of the clocks that a wait depends on, and the time a commit takes, are within it. Where a
 * run is `wild`, Regions are a minute apart, which must not matter to what the databases accept.
 */
export function drawClocks(random: Random, wild: boolean): Pick<Scenario, 'regionClocks' | 'databaseClocks' | 'commitTakes'> {
  const shares = drawShares(random);
  const share = (name: ShareOf) => toMicros(shares.get(name) ?? 0);
  const drift = () => random.between(-0.002, 0.002);
  const stepAt = () =>
    toMicros(
      random.weighted([
        [1, random.between(5, 80)],
        [2, random.between(5, 35)],
      ]),
    );
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
