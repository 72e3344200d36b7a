import { createHash } from 'node:crypto';
import { TimelineEntry } from './models.ts';

/**
 * Where an entry stands in its incident's timeline: by time, then in the order of `kind` (the signal before the decision, the decision before the page). The same entry, by
 * time, kind and words, has the same key, so that whoever repeats it adds nothing.
 */
export function timelineKey({ at, kind, says }: TimelineEntry): string {
  const rank = String(TimelineEntry.shape.kind.options.indexOf(kind)).padStart(2, '0');
  return `${at}#${rank}#${createHash('sha256').update(says).digest('hex').slice(0, 16)}`;
}
