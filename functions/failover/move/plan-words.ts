import type { FailoverPlan } from '../models.ts';

/** `Failover to us-west-2`, `Replacement of hms in us-east-1`. */
export function planTitle({ kind, to, replacement }: FailoverPlan): string {
  if (replacement) return `Replacement of ${replacement.databaseId} in ${to}`;
  return `${kind === 'failover' ? 'Failover' : 'Switchover'} to ${to}`;
}

/** From where to where; and for a replacement what takes whose place, what is lost with it, and what its inspection found. */
export function planFacts({ kind, from, to, epoch, replacement }: FailoverPlan): string {
  if (!replacement) return `${kind} from ${from} to ${to}, epoch ${epoch}`;
  const { databaseId, restoredId, restoredTo, verdict } = replacement;
  return `the copy ${restoredId} takes the place of ${databaseId} in ${to}, epoch ${epoch}; it shows ${restoredTo}, and everything committed later is lost; ${verdict}`;
}
