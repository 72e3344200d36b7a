import { type AuditWatchMemory, SeenCheckpoint, WatchProgress } from '../../audit/ports.ts';
import { Conflict } from '../../common/errors.ts';
import type { AwsSettings } from '../settings.ts';
import { stateItems, stateKeys } from '../state-items.ts';

/** Items of the state table, one for each log and one for each long check, replicated: another Region goes on from there. */
export function auditWatchMemoryPort(settings: Pick<AwsSettings, 'region' | 'stateTable' | 'clock'>): AuditWatchMemory {
  const seen = stateItems(settings, SeenCheckpoint);
  const progress = stateItems(settings, WatchProgress);
  return {
    last: async (region, generation) => (await seen.get(stateKeys.seenCheckpoint(region, generation)))?.body,
    async remember(next) {
      const key = stateKeys.seenCheckpoint(next.region, next.generation);
      const known = await seen.get(key);
      if (known && (known.body.size > next.size || known.body.verifiedSize > next.verifiedSize)) return false;
      try {
        await seen.put(key, next, known?.version ?? 0);
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        return false;
      }
    },
    progress: async (check) => (await progress.get(stateKeys.watchProgress(check)))?.body,
    async keepProgress(next) {
      try {
        await progress.put(stateKeys.watchProgress(next.check), next, next.version - 1); // the item's version is the progress's own
        return true;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        return false;
      }
    },
  };
}
