import { isDeepStrictEqual } from 'node:util';
import { Batch, LogHead } from '../../audit/log/models.ts';
import type { AuditHead } from '../../audit/ports.ts';
import { Conflict } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import type { ItemStore } from '../item-store.ts';
import { items } from '../items.ts';

/** One Region's head: conditional on the version that was seen. */
export function memoryAuditHead({ store, region }: { readonly store: ItemStore; readonly region: Region }): AuditHead {
  const heads = items(store, 'audit-heads', LogHead);
  const batches = items(store, `audit-batches-${region}`, Batch);
  return {
    async read() {
      return heads.get(region)?.value;
    },
    async write(next) {
      const stored = heads.get(region);
      if (isDeepStrictEqual(stored?.value, next)) return true; // whose answer was lost
      if (next.version !== (stored?.value.version ?? 0) + 1) return false;
      try {
        heads.put(region, next, stored ? { version: stored.version } : 'absent');
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        return false;
      }
    },
    async putBatch(batch) {
      const stored = batches.get(batch.batchId)?.value;
      if (!stored) batches.put(batch.batchId, batch);
      else if (JSON.stringify(stored) !== JSON.stringify(Batch.parse(batch)))
        throw new Conflict(`another batch is stored as ${batch.batchId}`);
    },
    async batch(batchId) {
      return batches.get(batchId)?.value;
    },
  };
}
