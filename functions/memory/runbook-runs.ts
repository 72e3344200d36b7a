import { Conflict } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { RunbookHistory } from '../incidents/runbooks/models.ts';
import type { RunbookRuns } from '../incidents/runbooks/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

/** As one Region's functions have them. */
export function memoryRunbookRuns({
  store,
  region,
}: {
  readonly store: ItemStore;
  readonly region: Region;
}): RunbookRuns & Failable<RunbookRuns> {
  const histories = items(store, 'runbook-runs', RunbookHistory);
  return failable<RunbookRuns>({
    async history() {
      return histories.get(region)?.value ?? { runs: [], version: 0 };
    },
    async put(history) {
      const stored = histories.get(region);
      if ((stored?.value.version ?? 0) !== history.version) {
        throw new Conflict(`the runs of ${region} are at version ${stored?.value.version ?? 'none'}, not ${history.version}`);
      }
      histories.put(region, { ...history, version: history.version + 1 }, stored ? { version: stored.version } : 'absent');
    },
  });
}
