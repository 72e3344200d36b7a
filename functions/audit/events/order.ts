import { z } from 'zod';
import { InvalidInput } from '../../common/errors.ts';
import type { RecordedEvent } from '../ports.ts';
import type { EventBody } from './event.ts';

/**
 * Where an event stands among all: its own time, its Region and its id, in one text that sorts (times are UTC to the millisecond, all of one length). An erased event has
 * only the time at which it was recorded.
 */
export const EventPlace = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z#[a-z0-9-]+\/[0-9a-f-]{36}$/, 'a place such as 2026-11-21T07:00:00.000Z#us-east-1/<id>')
  .brand<'EventPlace'>();
export type EventPlace = z.output<typeof EventPlace>;

export const placeOf = ({ region, eventId, recordedAt }: RecordedEvent, body: EventBody | undefined): EventPlace =>
  EventPlace.parse(`${body?.at ?? recordedAt}#${region}/${eventId}`);

/** ISO 8601, UTC to the millisecond. */
export const timeOf = (place: EventPlace): string => place.slice(0, place.indexOf('#'));

/** Newest first: negative when `a` comes before `b`. */
export const newestFirst = (a: EventPlace, b: EventPlace): number => (a === b ? 0 : a > b ? -1 : 1);

/** The end of a page, as the caller gets it. */
export const cursorOf = (place: EventPlace): string => Buffer.from(place).toString('base64url');

/** @throws InvalidInput */
export function placeOfCursor(cursor: string): EventPlace {
  const place = EventPlace.safeParse(Buffer.from(cursor, 'base64url').toString());
  if (place.success) return place.data;
  throw new InvalidInput('what was given for the next page is not the end of a page', {
    hint: 'Pass on `next` as the page before gave it.',
  });
}
