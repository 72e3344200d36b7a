import { timeSlug, timestamp } from '../../common/ids.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import type { RehearsalRequest } from './models.ts';
import { type WantedDrill, whereToDrill } from './where-to-drill.ts';

/** What the machine starts with, or why nothing can be rehearsed now. */
export function requestRehearsal(
  wanted: WantedDrill & { readonly requestedBy: string },
): { readonly kind: 'request'; readonly request: RehearsalRequest } | { readonly kind: 'refused'; readonly because: string } {
  const place = whereToDrill(wanted);
  if (place.kind === 'refused') return place;
  const { epoch, leader, region, window } = place;
  const { requestedBy, now } = wanted;
  const request = { rehearsalId: `rehearsal-${timeSlug(now)}`, epoch, leader, region, requestedBy, requestedAt: timestamp(now) };
  return { kind: 'request', request: { ...request, ...(window ? { windowClosesAt: timestamp(window.closesAt) } : {}) } };
}

/** Runs where the rehearsed failover would run. */
export const rehearsalExecution = ({ region, rehearsalId }: RehearsalRequest): ExecutionRef => ({
  region,
  machine: 'failover-rehearsal',
  name: rehearsalId,
});
