import { days, minutes } from '../../functions/common/duration.ts';
import type { HospitalEvent } from './hospital-events.ts';

export interface SpoiltEvent {
  readonly event: unknown;
  /** What it must be refused for. */
  readonly code: string;
}

const moved = (event: HospitalEvent, seconds: number): string => new Date(Date.parse(event.at) + seconds * 1000).toISOString();

/** Ways in which applications get an event wrong. */
const ways: readonly ((event: HospitalEvent) => SpoiltEvent)[] = [
  (event) => ({ event: { ...event, userId: undefined }, code: 'missing-field' }),
  (event) => ({ event: { ...event, action: 'record.peek' }, code: 'unknown-action' }),
  (event) => ({ event: { ...event, at: moved(event, minutes(60)) }, code: 'clock-ahead' }),
  (event) => ({ event: { ...event, at: moved(event, -days(30)) }, code: 'clock-behind' }),
  (event) => ({ event: { ...event, patientName: 'Jane Roe' }, code: 'unknown-field' }),
  (event) => ({ event: { ...event, patientRef: 'Jane Roe, born 1970' }, code: 'invalid-field' }),
  (event) => ({ event: { ...event, service: 'codeblue' }, code: 'reserved-service' }),
  (event) => ({
    event: { ...event, details: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`page-${n}`, 'x'.repeat(4000)])) },
    code: 'too-large',
  }),
];

/** A good event made bad in the n-th way. */
export function spoilt(event: HospitalEvent, n: number): SpoiltEvent {
  const way = ways[n % ways.length];
  if (!way) throw new TypeError('there are ways to spoil an event');
  return way(event);
}

/** How many ways there are. */
export const waysToSpoil = ways.length;
