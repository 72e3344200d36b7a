import { beforeEach, describe, expect, it } from 'vitest';
import { NotFound } from '../../functions/common/errors.ts';
import { Region } from '../../functions/common/ids.ts';
import type { Capacity } from '../../functions/failover/ports.ts';

export interface CapacityHarness {
  readonly capacity: Capacity;
  /** Lets what was asked for start. */
  settle(): Promise<void>;
}

const away = Region.parse('us-west-2');

/** What everything that runs at some strength must do: `name` runs at 2 in the standby Region. */
export function capacityContract(name: string, make: () => Promise<CapacityHarness>): void {
  describe(`capacity: ${name}`, () => {
    let harness: CapacityHarness;
    const target = { name, region: away };
    const strength = async () => {
      await harness.settle();
      return (await harness.capacity.describe(target)).wanted;
    };
    beforeEach(async () => {
      harness = await make();
    });

    it('asks for more', async () => {
      expect(await strength()).toBe(2);
      await harness.capacity.scale(target, 4, 'exactly');
      expect(await strength()).toBe(4);
      await harness.capacity.scale(target, 4, 'exactly');
      expect(await strength()).toBe(4);
    });

    it('lowers what runs only when told the exact count', async () => {
      await harness.capacity.scale(target, 1, 'at-least');
      expect(await strength()).toBe(2);
      await harness.capacity.scale(target, 3, 'at-least');
      expect(await strength()).toBe(3);
      await harness.capacity.scale(target, 1, 'exactly');
      expect(await strength()).toBe(1);
    });

    it('knows nothing that the config does not name', async () => {
      await expect(harness.capacity.describe({ name: 'unheard-of', region: away })).rejects.toThrow(NotFound);
      await expect(harness.capacity.scale({ name, region: Region.parse('eu-west-1') }, 1, 'exactly')).rejects.toThrow(NotFound);
    });
  });
}

/** A contract of its own: moto has no instance refresh, so what replaces a group is judged by command (test/aws/runbooks.test.ts). */
export function restartContract(name: string, make: () => Promise<CapacityHarness>): void {
  describe(`restart: ${name}`, () => {
    it('is of what runs, and asks for no more than ran', async () => {
      const { capacity, settle } = await make();
      const target = { name, region: away };
      await capacity.restart(target, new Date());
      await capacity.restart(target, new Date(0));
      await settle();
      expect((await capacity.describe(target)).wanted).toBe(2);
      await expect(capacity.restart({ name: 'unheard-of', region: away }, new Date())).rejects.toThrow(NotFound);
    });
  });
}
