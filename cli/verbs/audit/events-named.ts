import { EventId } from '../../../functions/audit/events/event.ts';
import type { EventRef, RecordedEvent } from '../../../functions/audit/ports.ts';
import type { Reader } from '../../../functions/audit/query/audited-read.ts';
import { readNamedEvents } from '../../../functions/audit/query/read-events.ts';
import { InvalidInput, NotFound } from '../../../functions/common/errors.ts';
import { regionsOf } from '../../../functions/common/operations-lookup.ts';
import type { Session } from '../../session.ts';

type EventSession = Session<'auditEvents' | 'auditLog'>;

/** `<eventId>`, or `<region>/<eventId>` for an event that two Regions recorded; each once. @throws InvalidInput */
export function refsNamed({ operations }: Pick<EventSession, 'operations'>, words: readonly string[]): readonly EventRef[] {
  const refs = words.flatMap((word, place) => {
    const [, region, id] = /^(?:([^/]*)\/)?([^/]*)$/.exec(word) ?? [];
    const eventId = EventId.safeParse(id);
    const among = regionsOf(operations).filter((each) => region === undefined || each === region);
    if (!eventId.success || among.length === 0) {
      // Told by its place: what is no id of an event may be somebody's.
      throw new InvalidInput(`what is named as event ${place + 1} of ${words.length} is no event`, {
        hint: `Wanted: a UUID in lower case, or one of ${regionsOf(operations).join(', ')} and it, joined by a slash. codeblue audit log shows them.`,
      });
    }
    return among.map((each) => ({ region: each, eventId: eventId.data }));
  });
  return [...new Map(refs.map((ref) => [`${ref.region}/${ref.eventId}`, ref])).values()];
}

/** In the order of the words; that they are read is audited. @throws NotFound naming those that are recorded nowhere */
export async function eventsNamed(session: EventSession, words: readonly string[], reader: Reader): Promise<readonly RecordedEvent[]> {
  const refs = refsNamed(session, words);
  const found = await readNamedEvents({ ...session.ports, ...session }, refs, reader);
  const missing = refs.filter(({ eventId }) => !found.some((event) => event.eventId === eventId));
  if (missing.length > 0) {
    const ids = [...new Set(missing.map(({ eventId }) => eventId))];
    throw new NotFound(`recorded nowhere: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`, {
      hint: 'codeblue audit log shows what is recorded.',
    });
  }
  const place = (event: RecordedEvent) => refs.findIndex(({ region, eventId }) => region === event.region && eventId === event.eventId);
  return found.toSorted((a, b) => place(a) - place(b));
}
