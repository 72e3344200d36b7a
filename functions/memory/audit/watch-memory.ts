import { type AuditWatchMemory, SeenCheckpoint, WatchProgress } from '../../audit/ports.ts';
import { Conflict } from '../../common/errors.ts';
import type { ItemStore } from '../item-store.ts';
import { items } from '../items.ts';

export function memoryAuditWatchMemory(store: ItemStore): AuditWatchMemory {
  const seen = items(store, 'audit-seen', SeenCheckpoint);
  const progress = items(store, 'audit-watch-progress', WatchProgress);
  const keyOf = (region: string, generation: number) => `${region} ${generation}`;
  return {
    async last(region, generation) {
      return seen.get(keyOf(region, generation))?.value;
    },
    async remember(next) {
      const known = seen.get(keyOf(next.region, next.generation));
      if (known && (known.value.size > next.size || known.value.verifiedSize > next.verifiedSize)) return false;
      try {
        seen.put(keyOf(next.region, next.generation), next, known ? { version: known.version } : 'absent');
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        return false;
      }
    },
    async progress(check) {
      return progress.get(check)?.value;
    },
    async keepProgress(next) {
      const known = progress.get(next.check);
      if (next.version !== (known?.value.version ?? 0) + 1) return false;
      try {
        progress.put(next.check, next, known ? { version: known.version } : 'absent');
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        return false;
      }
    },
  };
}
