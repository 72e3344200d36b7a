import { createHash } from 'node:crypto';
import type { Timestamp } from '../../common/ids.ts';
import type { RecordedEvent } from '../ports.ts';
import { fhirAuditEvent } from './fhir-audit-event.ts';

/** One AuditEvent a line, as FHIR's Bulk Data has its files. */
export async function* exportFhirNdjson(events: AsyncIterable<RecordedEvent>): AsyncGenerator<string, void, undefined> {
  for await (const event of events) yield `${JSON.stringify(fhirAuditEvent(event))}\n`;
}

/**
 * One Bundle (type `collection`), an entry a line. FHIR forbids an empty list, so a bundle of nothing has none.
 *
 * @param at when it was made
 */
export async function* exportFhirBundle(events: AsyncIterable<RecordedEvent>, at: Timestamp): AsyncGenerator<string, void, undefined> {
  yield `{"resourceType":"Bundle","type":"collection","timestamp":${JSON.stringify(at)}`;
  let entries = 0;
  for await (const event of events) {
    const resource = fhirAuditEvent(event);
    yield `${entries === 0 ? ',"entry":[\n' : ',\n'}${JSON.stringify({ fullUrl: `urn:uuid:${uuidOf(resource.id)}`, resource })}`;
    entries += 1;
  }
  yield entries === 0 ? '}\n' : '\n]}\n';
}

/** UUID of version 8 (RFC 9562) of a name: unique in the bundle as the id is, and the same in every one. */
function uuidOf(name: string): string {
  const bytes = createHash('sha256').update('codeblue-fhir-full-url/1\n').update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
