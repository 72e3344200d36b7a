import { parseJsonAs } from '../../common/parse.ts';
import { isOwnEventId } from '../events/act-event.ts';
import { EventLeaf } from '../events/leaf.ts';
import { READING, type RecordedEvent } from '../ports.ts';

/**
 * Whether what an event says may ever be erased. What applications tell may. Of Codeblue's own acts only its readings of the log, since whoever reads asks for somebody by the
 * very reference that is to be forgotten; all others, erasing above all, are evidence of how a hospital was run, and hold no patient. Told by the leaf and the id, which stay, so
 * that the watch can ask of a body that is gone.
 *
 * @throws InvalidInput when its leaf is none
 */
export function isErasable({ eventId, leaf }: Pick<RecordedEvent, 'eventId' | 'leaf'>): boolean {
  return !isOwnEventId(eventId) || parseJsonAs(EventLeaf, leaf, `the leaf of event ${eventId}`).action === READING;
}
