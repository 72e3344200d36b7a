import type { EventFilter } from '../ports.ts';
import type { EventBody } from './event.ts';
import { type EventPlace, timeOf } from './order.ts';

/** Whether an event is one of those that are searched for. An erased one (no body) matches by its time alone. */
export function matchesFilter({ from, until, ...wanted }: EventFilter, body: EventBody | undefined, place: EventPlace): boolean {
  const at = Date.parse(timeOf(place));
  if (at < from.getTime() || at >= until.getTime()) return false;
  const { userId, patientRef, resource, action, outcome } = wanted;
  const pairs = [
    [userId, body?.userId],
    [patientRef, body?.patientRef],
    [resource, body?.resource],
    [action, body?.action],
    [outcome, body?.outcome],
  ] as const;
  return pairs.every(([value, has]) => value === undefined || value === has);
}
