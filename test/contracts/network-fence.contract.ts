import { beforeEach, describe, expect, it } from 'vitest';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import type { NetworkFence } from '../../functions/failover/ports.ts';

export interface NetworkFenceHarness {
  readonly networkFence: NetworkFence;
  /** Who is let in on the database's port, in words that compare. */
  letIn(): Promise<readonly string[]>;
  /** Those of them that the fence must leave alone. */
  readonly spared: readonly string[];
}

const databaseId = DatabaseId.parse('hms');
const region = Region.parse('us-east-1');

/** What every fence around a database's network must do. */
export function networkFenceContract(make: () => Promise<NetworkFenceHarness>): void {
  describe('the network fence', () => {
    let harness: NetworkFenceHarness;
    beforeEach(async () => {
      harness = await make();
    });

    it('shuts the application out and Codeblue not, once', async () => {
      const before = await harness.letIn();
      expect(before.length).toBeGreaterThan(harness.spared.length);
      expect(await harness.networkFence.isolate(databaseId, region)).toBe(before.length - harness.spared.length);
      expect(await harness.letIn()).toEqual(harness.spared);
      expect(await harness.networkFence.isolate(databaseId, region)).toBe(0);
    });

    it('puts everything back as it was, once', async () => {
      const before = await harness.letIn();
      const taken = await harness.networkFence.isolate(databaseId, region);
      expect(await harness.networkFence.restore(databaseId, region)).toBe(taken);
      expect(await harness.letIn()).toEqual(before);
      expect(await harness.networkFence.restore(databaseId, region)).toBe(0);
    });
  });
}
