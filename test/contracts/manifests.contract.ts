import { beforeEach, describe, expect, it } from 'vitest';
import type { Manifests } from '../../functions/backup/ports.ts';
import { Conflict } from '../../functions/common/errors.ts';
import { RecoveryPointId, Region } from '../../functions/common/ids.ts';

const home = Region.parse('us-east-1');
const away = Region.parse('us-west-2');
const id = RecoveryPointId.parse('cb-hms-daily-20261121t070000z');
const manifest = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);

/** What every store of manifests must do. */
export function manifestsContract(makePort: () => Promise<Manifests>): void {
  describe('the manifests', () => {
    let manifests: Manifests;
    beforeEach(async () => {
      manifests = await makePort();
    });

    it('gives back the same bytes, and only in the Region where they were stored', async () => {
      await manifests.put(home, id, manifest);
      expect(await manifests.get(home, id)).toEqual(manifest);
      expect(await manifests.get(away, id)).toBeUndefined();
    });

    it('takes the same bytes again', async () => {
      await manifests.put(home, id, manifest);
      await manifests.put(home, id, manifest);
      expect(await manifests.get(home, id)).toEqual(manifest);
    });

    it('never replaces a manifest', async () => {
      await manifests.put(home, id, manifest);
      await expect(manifests.put(home, id, manifest.toReversed())).rejects.toThrow(Conflict);
      expect(await manifests.get(home, id)).toEqual(manifest);
    });
  });
}
