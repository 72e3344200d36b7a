import type { z } from 'zod';
import type { SubmittedEvent } from '../../functions/audit/events/event.ts';

type Given = z.input<typeof SubmittedEvent>;

let made = 0;

/** A UUID of version 4, another one each time. */
const newEventId = (): string => `0190a5c4-0000-4000-8000-${(++made).toString(16).padStart(12, '0')}`;

/** An event as an application sends it, of the moment at which the clocks of tests stand. */
export const submitted = (given: Partial<Given> = {}): Given => ({
  eventId: newEventId(),
  at: '2026-11-21T12:00:00.000Z',
  userId: 'practitioner-4711',
  action: 'record.read',
  resource: 'Observation/8812',
  outcome: 'success',
  service: 'registration',
  ...given,
});
