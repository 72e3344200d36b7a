import { InvalidInput } from '../../common/errors.ts';
import { commitmentTo, Leaf } from '../events/leaf.ts';
import type { EventRef, RecordedEvent } from '../ports.ts';
import type { Finding, LogRef } from './finding.ts';

/** An entry of the log. */
export interface Entry extends LogRef {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** What an entry says, undefined where it is no leaf of ours. */
export function leafIn(bytes: Uint8Array): Leaf | undefined {
  try {
    return Leaf.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** The event that an entry is of; undefined for that of a predecessor, and for what is no leaf of ours. */
export function eventOfEntry({ region, bytes }: Entry): EventRef | undefined {
  const leaf = leafIn(bytes);
  return leaf?.format === 'codeblue-audit-leaf/1' ? { region, eventId: leaf.eventId } : undefined;
}

/** `sound`; `erased`: sound if its erasing is recorded; or what is wrong. */
export type Verdict = 'sound' | 'erased' | Finding;

/**
 * An entry against the event of the table: the leaf byte for byte, and the body against the commitment.
 *
 * @param event of the id that the entry names
 */
export function judgeEntry(entry: Entry, event: RecordedEvent | undefined): Verdict {
  const { region, generation, index, bytes } = entry;
  const leaf = leafIn(bytes);
  const found = (code: Finding['code'], subject: string, says: string): Finding => ({ code, region, generation, subject, says });
  if (!leaf) return found('AuditLogGap', `entry ${index}`, `entry ${index} is of no event`);
  if (leaf.format === 'codeblue-audit-predecessor/1')
    return index === 0 ? 'sound' : found('AuditLogGap', `entry ${index}`, `entry ${index} speaks of a predecessor`);
  if (!event) return found('AuditLogGap', leaf.eventId, `entry ${index} is of event ${leaf.eventId}, which the table has not`);
  if (event.leaf !== Buffer.from(bytes).toString('utf8'))
    return found('AuditLogGap', leaf.eventId, `event ${leaf.eventId} has another leaf than entry ${index}`);
  const { body, salt, erasedAt } = event;
  if (body === undefined && salt === undefined && erasedAt !== undefined) return 'erased';
  if (body === undefined || salt === undefined)
    return found('AuditBodyAltered', leaf.eventId, `the body of event ${leaf.eventId} is gone and was not erased`);
  return opens(body, salt, leaf.commitment)
    ? 'sound'
    : found('AuditBodyAltered', leaf.eventId, `the body of event ${leaf.eventId} is not the one that entry ${index} commits to`);
}

function opens(body: string, salt: string, commitment: string): boolean {
  try {
    return commitmentTo(body, Buffer.from(salt, 'base64')) === commitment;
  } catch (error) {
    if (error instanceof InvalidInput) return false; // a salt of another length
    throw error;
  }
}
