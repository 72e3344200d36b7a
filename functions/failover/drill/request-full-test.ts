import { timeSlug, timestamp } from '../../common/ids.ts';
import type { ExecutionRef } from '../../maintenance/ports.ts';
import type { FullTestRequest } from './full-test-models.ts';
import { type WantedDrill, whereToDrill } from './where-to-drill.ts';

/** What the machine starts with, or why there can be no full test now. */
export function requestFullTest(
  wanted: WantedDrill & { readonly requestedBy: string },
): { readonly kind: 'request'; readonly request: FullTestRequest } | { readonly kind: 'refused'; readonly because: string } {
  const place = whereToDrill(wanted);
  if (place.kind === 'refused') return place;
  const { epoch, leader, region } = place;
  const { requestedBy, now } = wanted;
  return {
    kind: 'request',
    request: { testId: `full-test-${timeSlug(now)}`, epoch, leader, region, requestedBy, requestedAt: timestamp(now) },
  };
}

export const fullTestExecution = ({ region, testId }: FullTestRequest): ExecutionRef => ({
  region,
  machine: 'failover-full-test',
  name: testId,
});
