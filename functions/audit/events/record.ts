import { randomBytes } from 'node:crypto';
import type { Clock } from '../../common/clock.ts';
import { CodeblueError } from '../../common/errors.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import { inParallel } from '../../common/in-parallel.ts';
import type { Logger } from '../../common/logger.ts';
import type { AuditEvents } from '../ports.ts';
import { type AcceptedEvent, idReused } from './accept.ts';
import type { EventId } from './event.ts';
import { SALT_BYTES } from './leaf.ts';
import { recordedEvent } from './recorded.ts';
import type { Rejection } from './rejection.ts';

/** Events that are written at a time. Each is a transaction of some 10 ms: 500 take a quarter of a second. */
const AT_A_TIME = 25;

/** `unavailable`: nobody knows whether it is durable; sending it again under the same id does no harm and is wanted. */
export type Recorded = { readonly index: number; readonly eventId: EventId } & (
  | { readonly status: 'recorded' | 'already' | 'unavailable' }
  | ({ readonly status: 'rejected' } & Rejection)
);

export interface RecordPorts {
  readonly auditEvents: Pick<AuditEvents, 'record'>;
  readonly region: Region;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
  /** `count` random bytes, for salts. */
  readonly random?: (count: number) => Uint8Array;
}

/**
 * Records what was accepted, and tells of each event how that ended; one that fails changes nothing for the others. MUST NOT tell `recorded` or `already` of an event before
 * it is durable.
 */
export async function recordEvents(accepted: readonly AcceptedEvent[], ports: RecordPorts): Promise<readonly Recorded[]> {
  const firsts = new Set([...Map.groupBy(accepted, ({ body }) => body.eventId).values()].flatMap(([first]) => first ?? []));
  const outcomes = new Map<EventId, Outcome>();
  await inParallel(AT_A_TIME, salted([...firsts], ports), async (event) => {
    outcomes.set(event.body.eventId, await recordOne(event, ports));
  });
  return accepted.map((event) => {
    const { eventId } = event.body;
    const outcome = outcomes.get(eventId) ?? { status: 'unavailable' };
    const isRepeat = !firsts.has(event);
    return { index: event.index, eventId, ...(isRepeat && outcome.status === 'recorded' ? { status: 'already' } : outcome) };
  });
}

type Outcome = { readonly status: 'recorded' | 'already' | 'unavailable' } | ({ readonly status: 'rejected' } & Rejection);

interface SaltedEvent extends AcceptedEvent {
  readonly salt: Uint8Array;
}

/** Each with a salt of its own, out of one draw: drawing takes longer than hashing. */
function salted(events: readonly AcceptedEvent[], { random = randomBytes }: RecordPorts): readonly SaltedEvent[] {
  const salts = random(events.length * SALT_BYTES);
  return events.map((event, place) => ({ ...event, salt: salts.subarray(place * SALT_BYTES, (place + 1) * SALT_BYTES) }));
}

async function recordOne({ body, canonical, salt }: SaltedEvent, { auditEvents, region, clock, log }: RecordPorts): Promise<Outcome> {
  try {
    const event = recordedEvent({ body, canonical, region, recordedAt: timestamp(clock.now()), salt });
    const status = await auditEvents.record(event);
    return status === 'conflict' ? { status: 'rejected', ...idReused('an event that is recorded') } : { status };
  } catch (error) {
    // Its name alone: the message of a service may repeat what it was given.
    const retryable = error instanceof CodeblueError && error.retryable;
    log.error('an audit event was not recorded', {
      eventId: body.eventId,
      error: error instanceof Error ? error.name : 'unknown',
      retryable,
    });
    return { status: 'unavailable' };
  }
}
