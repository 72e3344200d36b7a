import { Conflict, NotFound } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import { claimable } from '../maintenance/claim.ts';
import { type Ledger, Run } from '../maintenance/ports.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

type Occurrence = Pick<Run, 'task' | 'key' | 'scheduledAt'>;
const prefixOf = (task: string, key: string) => `${task}#${key}#`;
const keyOf = ({ task, key, scheduledAt }: Occurrence) => `${prefixOf(task, key)}${scheduledAt}`;

export function memoryLedger(store: ItemStore): Ledger {
  const runs = items(store, 'runs', Run);
  return {
    async claim(run, now, staleAfterSeconds) {
      const stored = runs.get(keyOf(run));
      if (stored && !claimable(stored.value, now, staleAfterSeconds)) return false;
      const { task, key, scheduledAt } = run;
      const attempt = (stored?.value.attempt ?? 0) + 1;
      const claimed: Run = { task, key, scheduledAt, status: 'running', attempt, startedAt: timestamp(now) };
      try {
        runs.put(keyOf(run), claimed, stored ? { version: stored.version } : 'absent');
        return true;
      } catch (error) {
        if (error instanceof Conflict) return false;
        throw error;
      }
    },
    async finish(run, now, error) {
      const stored = runs.get(keyOf(run));
      if (!stored) throw new NotFound(`the run ${keyOf(run)} was never claimed`);
      // An attempt that was taken over may still end; what succeeded stays succeeded.
      if (stored.value.status === 'succeeded') return;
      const ended = { ...stored.value, endedAt: timestamp(now) };
      const finished: Run = error === undefined ? { ...ended, status: 'succeeded' } : { ...ended, status: 'failed', error };
      runs.put(keyOf(run), finished, { version: stored.version });
    },
    async lastSuccess(task, key) {
      return runs.list(prefixOf(task, key)).findLast((run) => run.status === 'succeeded');
    },
  };
}
