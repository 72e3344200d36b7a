import { RunbookHistory } from '../incidents/runbooks/models.ts';
import type { RunbookRuns } from '../incidents/runbooks/ports.ts';
import type { AwsSettings } from './settings.ts';
import { stateItems, stateKeys } from './state-items.ts';

/** In the state table of this Region, which alone writes the line: each Region mends itself. */
export function runbookRunsPort(settings: AwsSettings): RunbookRuns {
  const histories = stateItems(settings, RunbookHistory);
  const key = stateKeys.runbookHistory(settings.region);
  return {
    async history() {
      return (await histories.get(key))?.body ?? { runs: [], version: 0 };
    },
    put: (history) => histories.put(key, { ...history, version: history.version + 1 }, history.version),
  };
}
