import { randomBytes } from 'node:crypto';
import type { Clock } from '../../common/clock.ts';
import { after, days } from '../../common/duration.ts';
import { Conflict } from '../../common/errors.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import { AuditEvent, type AuditEvents, type AuditLog, type RecordedEvent } from '../ports.ts';
import { actOfEvent, eventOfAct } from './act-event.ts';
import { SALT_BYTES } from './leaf.ts';
import { bodyOf, recordedEvent } from './recorded.ts';

/** Events that `recent` reads at a time. */
const PAGE = 500;

/**
 * Codeblue's own acts through the door of all events: recorded in this Region, sequenced into its log, found by the same queries. An act that is told again is there
 * already, and the first record stands.
 *
 * @param random `count` random bytes, for salts
 */
export function actLog({
  auditEvents,
  clock,
  region,
  random = randomBytes,
}: {
  readonly auditEvents: AuditEvents;
  readonly clock: Pick<Clock, 'now'>;
  /** That this process runs in. The Region of an act is another thing, and among its details. */
  readonly region: Region;
  readonly random?: (count: number) => Uint8Array;
}): AuditLog {
  return {
    async record(given) {
      const act = parseAs(AuditEvent, given, `audit event ${given.eventId}`);
      const event = recordedEvent({ body: eventOfAct(act), region, recordedAt: timestamp(clock.now()), salt: random(SALT_BYTES) });
      if ((await auditEvents.record(event)) !== 'conflict') return;
      const [stands] = await auditEvents.get([event]);
      if (stands && actOf(stands).length === 0)
        throw new Conflict(`an application's event has the id of act ${act.eventId}: the act cannot be recorded`);
    },
    async act(actId) {
      return onceEach((await auditEvents.ofAct(actId)).flatMap(actOf)).sort((a, b) => rank(a) - rank(b) || ascending(a.eventId, b.eventId));
    },
    async recent(since, limit) {
      // The clock of another Region may be ahead of this one.
      const filter = { from: since, until: after(clock.now(), days(1)) };
      const found: AuditEvent[] = [];
      let next: string | undefined;
      do {
        const page = await auditEvents.query(filter, { limit: PAGE, ...(next ? { next } : {}) });
        found.push(...page.events.flatMap(actOf));
        next = page.next;
        // One more than asked for, with another time: acts of one millisecond are told in their own order.
      } while (next && !(found.length > limit && found.at(-1)?.at !== found[limit - 1]?.at));
      return onceEach(found)
        .sort((a, b) => ascending(b.at, a.at) || ascending(b.eventId, a.eventId))
        .slice(0, limit);
    },
  };
}

function actOf(event: RecordedEvent): readonly AuditEvent[] {
  const body = bodyOf(event);
  const act = body && actOfEvent(body);
  return act ? [act] : [];
}

/** An act that was told in two Regions is recorded in both. */
const onceEach = (acts: readonly AuditEvent[]): AuditEvent[] => [...new Map(acts.map((act) => [act.eventId, act])).values()];

const rank = (event: AuditEvent) => (event.phase === 'intent' ? 0 : 1);
const ascending = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
