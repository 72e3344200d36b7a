import { z } from 'zod';
import type { Clock } from '../common/clock.ts';
import { after, seconds } from '../common/duration.ts';
import { NotFound } from '../common/errors.ts';
import { Timestamp, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import type { Capacity, CapacityTarget } from '../failover/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

const Strength = z.strictObject({
  wanted: z.int().nonnegative(),
  /** What ran when `wanted` was last changed; `wanted` runs from `reachedAt` on. */
  before: z.int().nonnegative(),
  reachedAt: Timestamp,
  /** New tasks or instances do not start. */
  stuck: z.boolean(),
  /** When the last restart was asked for. */
  restartedAt: Timestamp.optional(),
});

export interface MemoryCapacity extends Capacity, Failable<Capacity> {
  /** What is asked for from now on does not start, as without room in a zone; false lets it start at once. */
  setStuck(target: CapacityTarget, stuck: boolean): void;
  /** Restarts that were asked for, in order. */
  readonly restarts: readonly (CapacityTarget & { readonly at: Timestamp })[];
}

/** Tasks and instances that start a minute of the clock after they are asked for; at first at the strength of the config. */
export function memoryCapacity(settings: {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly store: ItemStore;
  readonly startSeconds?: number;
}): MemoryCapacity {
  const { operations, clock, startSeconds = 60 } = settings;
  const strengths = items(settings.store, 'capacity', Strength);

  function strengthOf({ name, region }: CapacityTarget): z.output<typeof Strength> {
    const stored = strengths.get(`${region}/${name}`)?.value;
    if (stored) return stored;
    const item = operations.failover.capacity.find((each) => each.name === name);
    if (!item?.sites[region]) throw new NotFound(`the config has no ${name} in ${region}`);
    const wanted = region === operations.regions.primary ? item.active : item.standby;
    return { wanted, before: wanted, reachedAt: timestamp(clock.now()), stuck: false };
  }
  const running = ({ wanted, before, reachedAt, stuck }: z.output<typeof Strength>): number =>
    wanted > before && (stuck || Date.parse(reachedAt) > clock.now().getTime()) ? before : wanted;

  const restarts: (CapacityTarget & { readonly at: Timestamp })[] = [];
  const port = failable<Capacity>({
    async scale(target, count, rule) {
      const now = strengthOf(target);
      if (count === now.wanted || (rule === 'at-least' && count < now.wanted)) return;
      const reachedAt = timestamp(after(clock.now(), seconds(startSeconds)));
      strengths.put(`${target.region}/${target.name}`, { ...now, wanted: count, before: running(now), reachedAt });
    },
    async describe(target) {
      const now = strengthOf(target);
      return { wanted: now.wanted, running: running(now) };
    },
    async restart(target, since) {
      const now = strengthOf(target);
      if (now.restartedAt !== undefined && Date.parse(now.restartedAt) >= since.getTime()) return;
      const at = timestamp(clock.now());
      restarts.push({ name: target.name, region: target.region, at });
      strengths.put(`${target.region}/${target.name}`, { ...now, restartedAt: at });
    },
  });
  return Object.assign(port, {
    restarts,
    setStuck(target: CapacityTarget, stuck: boolean) {
      strengths.put(`${target.region}/${target.name}`, { ...strengthOf(target), stuck });
    },
  });
}
