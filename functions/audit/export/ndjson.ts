import { InvalidInput } from '../../common/errors.ts';
import type { EventId } from '../events/event.ts';
import type { RecordedEvent } from '../ports.ts';

/**
 * One JSON object a line, whole: `leaf` and `body` as the log and its commitment have them, so that whoever has the export can compute `commitment` again
 * (docs/audit-evidence.md). An erased event has no `body` and no `salt`.
 */
export async function* exportNdjson(events: AsyncIterable<RecordedEvent>): AsyncGenerator<string, void, undefined> {
  for await (const { region, eventId, recordedAt, leaf, body, salt, erasedAt } of events) {
    const parts = [
      `"region":${JSON.stringify(region)},"eventId":${JSON.stringify(eventId)},"recordedAt":${JSON.stringify(recordedAt)},"leaf":${oneObject(leaf, eventId)}`,
      ...(body === undefined ? [] : [`"body":${oneObject(body, eventId)}`]),
      ...(salt === undefined ? [] : [`"salt":${JSON.stringify(salt)}`]),
      ...(erasedAt === undefined ? [] : [`"erasedAt":${JSON.stringify(erasedAt)}`]),
    ];
    yield `{${parts.join(',')}}\n`;
  }
}

/**
 * Both are canonical JSON already: written as they are, the bytes that are committed to stay the same. Whoever could change the table could put the end of a line into them, and
 * behind it events that there never were.
 */
function oneObject(stored: string, eventId: EventId): string {
  if (!/[\r\n]/.test(stored) && isObject(stored)) return stored;
  throw new InvalidInput(`what is stored of event ${eventId} is no canonical JSON`, { hint: 'See docs/runbooks/AuditBodyAltered.md.' });
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
