import { ActionName } from '../../common/audit-policy.ts';
import { InvalidInput } from '../../common/errors.ts';
import type { Region, Timestamp } from '../../common/ids.ts';
import { parseAs, parseJsonAs } from '../../common/parse.ts';
import type { RecordedEvent } from '../ports.ts';
import { type CanonicalBody, EventBody } from './event.ts';
import { canonicalJson, commitmentTo, type EventLeaf } from './leaf.ts';

/**
 * An event as it is kept: its leaf, which commits to the body, and beside it what can be erased. The same whichever door it came through.
 *
 * @param region the Region that records it
 * @param salt 32 random bytes of its own
 * @throws InvalidInput when it has no canonical form, or its action is no word for a leaf
 */
export function recordedEvent(given: {
  readonly body: EventBody;
  /** Of the body, where it was made before. */
  readonly canonical?: CanonicalBody;
  readonly region: Region;
  readonly recordedAt: Timestamp;
  readonly salt: Uint8Array;
}): RecordedEvent {
  const { region, recordedAt, salt } = given;
  const { eventId, action, outcome } = given.body;
  const body = given.canonical ?? canonicalJson(given.body);
  const leaf: EventLeaf = {
    format: 'codeblue-audit-leaf/1',
    ...{ eventId, recordedAt, outcome },
    // The one member that its type alone does not keep in form.
    action: parseAs(ActionName, action, `the action of event ${eventId}`),
    commitment: commitmentTo(body, salt),
  };
  return { region, eventId, recordedAt, leaf: canonicalJson(leaf), body, salt: Buffer.from(salt).toString('base64') };
}

/** Undefined once it is erased. @throws InvalidInput when what is stored is no body */
export const bodyOf = (event: Pick<RecordedEvent, 'eventId' | 'body'>): EventBody | undefined =>
  event.body === undefined ? undefined : parseJsonAs(EventBody, event.body, `the body of event ${event.eventId}`);

/** The same, and undefined where what is stored is no body: whoever changed one must not keep others from being found, and the watch from finding it. */
export function legibleBodyOf(event: Pick<RecordedEvent, 'eventId' | 'body'>): EventBody | undefined {
  try {
    return bodyOf(event);
  } catch (error) {
    if (error instanceof InvalidInput) return undefined;
    throw error;
  }
}

/** What two deliveries of one event may differ in: who handed it over. An erased event is taken for the same: there is nothing left to compare. */
export function isSameEvent(known: RecordedEvent, given: RecordedEvent): boolean {
  const [one, other] = [bodyOf(known), bodyOf(given)];
  if (!one || !other) return true;
  return canonicalJson({ ...one, submittedBy: '-' }) === canonicalJson({ ...other, submittedBy: '-' });
}
