import type { Run } from './ports.ts';

/** Whether an occurrence that was claimed before may be claimed again: the rule of `Ledger.claim`. */
export function claimable(stored: Run, now: Date, staleAfterSeconds: number): boolean {
  if (stored.status === 'succeeded') return false;
  if (stored.status === 'failed') return true;
  return now.getTime() - Date.parse(stored.startedAt) >= staleAfterSeconds * 1000;
}
