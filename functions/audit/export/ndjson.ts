import type { RecordedEvent } from '../ports.ts';

/**
 * One JSON object a line, whole: `leaf` and `body` as the log and its commitment have them, so that whoever has the export can compute `commitment` again
 * (docs/audit-evidence.md). An erased event has no `body` and no `salt`.
 */
export async function* exportNdjson(events: AsyncIterable<RecordedEvent>): AsyncGenerator<string, void, undefined> {
  for await (const { region, eventId, recordedAt, leaf, body, salt, erasedAt } of events) {
    // Both are canonical JSON already: written as they are, the bytes that are committed to stay the same.
    const parts = [
      `"region":${JSON.stringify(region)},"eventId":${JSON.stringify(eventId)},"recordedAt":${JSON.stringify(recordedAt)},"leaf":${leaf}`,
      ...(body === undefined ? [] : [`"body":${body}`]),
      ...(salt === undefined ? [] : [`"salt":${JSON.stringify(salt)}`]),
      ...(erasedAt === undefined ? [] : [`"erasedAt":${JSON.stringify(erasedAt)}`]),
    ];
    yield `{${parts.join(',')}}\n`;
  }
}
