import type { EventId } from '../events/event.ts';
import { entriesIn } from '../log/bundles.ts';
import { TILE_WIDTH } from '../log/models.ts';
import { readBundle } from '../log/tiles.ts';
import type { Place, RecordedEvent } from '../ports.ts';
import type { PublishedLog } from './published-log.ts';

/** Bundles that are read at a time. */
const AT_A_TIME = 16;

/**
 * Where these events are in a log whose queue is elsewhere: looks through its entries, the newest first, until all are found. A log of a million entries has 4000 bundles.
 *
 * @param newest generation to begin with
 * @returns places of those that were found
 */
export async function placesByScan(
  events: readonly RecordedEvent[],
  open: (generation: number) => Promise<PublishedLog | undefined>,
  newest: number,
): Promise<ReadonlyMap<EventId, Place>> {
  const wanted = new Map(events.map(({ leaf, eventId }) => [leaf, eventId]));
  const places = new Map<EventId, Place>();
  for (let generation = newest; generation >= 1 && wanted.size > 0; generation -= 1) {
    const log = await open(generation);
    if (!log) continue;
    const { size } = log.checkpoint;
    for (let until = Math.ceil(size / TILE_WIDTH); until > 0 && wanted.size > 0; until -= AT_A_TIME) {
      const bundles = Array.from({ length: Math.min(AT_A_TIME, until) }, (_, n) => until - 1 - n);
      await Promise.all(
        bundles.map(async (bundle) => {
          const entries = entriesIn(await readBundle(log.read, bundle, size));
          for (const [at, entry] of entries.entries()) {
            const leaf = Buffer.from(entry).toString();
            const eventId = wanted.get(leaf);
            if (eventId === undefined) continue;
            places.set(eventId, { generation, index: bundle * TILE_WIDTH + at });
            wanted.delete(leaf);
          }
        }),
      );
    }
  }
  return places;
}
