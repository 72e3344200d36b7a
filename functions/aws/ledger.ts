import { after, days } from '../common/duration.ts';
import { Conflict, NotFound } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import { claimable } from '../maintenance/claim.ts';
import { type Ledger, Run } from '../maintenance/ports.ts';
import type { AwsSettings } from './settings.ts';
import { stateItems, stateKeys } from './state-items.ts';

/** Longer than any schedule's interval; a task without success for that long has been alarming for months. */
const keepRuns = days(90);

export function ledgerPort(settings: AwsSettings): Ledger {
  const items = stateItems(settings, Run);
  return {
    async claim({ task, key, scheduledAt }, now, staleAfterSeconds) {
      const itemKey = stateKeys.run(task, key, scheduledAt);
      const stored = await items.get(itemKey);
      if (stored && !claimable(stored.body, now, staleAfterSeconds)) return false;
      const attempt = (stored?.body.attempt ?? 0) + 1;
      const run: Run = { task, key, scheduledAt, status: 'running', attempt, startedAt: timestamp(now) };
      try {
        await items.put(itemKey, run, stored?.version ?? 0, { expiresAt: after(now, keepRuns) });
        return true;
      } catch (error) {
        if (error instanceof Conflict) return false; // another trigger of the same occurrence was faster
        throw error;
      }
    },
    async finish({ task, key, scheduledAt }, now, error) {
      const itemKey = stateKeys.run(task, key, scheduledAt);
      const stored = await items.get(itemKey);
      if (!stored) throw new NotFound(`the run ${task}#${key}#${scheduledAt} was never claimed`);
      // An attempt that was taken over may still end; what succeeded stays succeeded.
      if (stored.body.status === 'succeeded') return;
      const ended = { ...stored.body, endedAt: timestamp(now) };
      const run: Run = error === undefined ? { ...ended, status: 'succeeded' } : { ...ended, status: 'failed', error };
      await items.put(itemKey, run, stored.version, { expiresAt: after(now, keepRuns) });
    },
    async lastSuccess(task, key) {
      for await (const run of items.list(`runs#${task}#${key}`, 'descending')) {
        if (run.status === 'succeeded') return run;
      }
      return undefined;
    },
  };
}
