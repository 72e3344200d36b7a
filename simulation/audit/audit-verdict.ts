import type { EventId } from '../../functions/audit/events/event.ts';
import type { AuditWorld } from './audit-world.ts';
import { entryBefore } from './first-log.ts';
import { History } from './history.ts';

/** Everything that was recorded has its place, and nothing is claimed that is not finished. */
export function isAtRest({ store, scenario }: AuditWorld): boolean {
  const { head } = store;
  if (head?.claimed) return false;
  if (head && head.size > 0 && head.generation < scenario.generation) return false;
  return [...store.queue.values()].every(({ place }) => place !== undefined);
}

/** Reads the log as outsiders do, from its published objects, and compares it with what was acknowledged, signed and promised. */
export function judgeLog(world: AuditWorld): void {
  const { monitor, store, refusals } = world;
  const places = new Map<string, string>();
  let before: { readonly generation: number; readonly read: History } | undefined;
  for (const generation of [...monitor.publishedSizes.keys()].sort((a, b) => a - b)) {
    const read = new History();
    read.append(publishedEntries(world, generation));
    judgeCheckpoints(world, generation, read);
    judgeEntries(world, generation, read, before, places);
    before = { generation, read };
  }
  for (const [eventId, { entry, place }] of store.queue) {
    const index = place && `${place.generation}/${place.index}`;
    if (places.get(entry.leaf) !== index)
      monitor.violated(`event ${short(eventId)} is noted at ${index}, and is at ${places.get(entry.leaf)}`);
  }
  for (const eventId of new Set([...monitor.acknowledged, ...store.recorded.keys()])) {
    const leaf = store.recorded.get(eventId)?.leaf;
    if (leaf === undefined || !places.has(leaf))
      monitor.violated(
        `event ${short(eventId)} is ${monitor.acknowledged.has(eventId) ? 'acknowledged' : 'durable'} and missing from the log`,
      );
  }
  if (!isAtRest(world)) monitor.violated('the log never comes to rest');
  const [refusal] = refusals;
  if (refusal) monitor.violated(`the log is taken for damaged: ${refusal}`);
}

/** Every checkpoint that was ever signed is one of the log as it is now: one history. */
function judgeCheckpoints({ monitor, store }: AuditWorld, generation: number, read: History): void {
  for (const said of monitor.signed.filter((each) => each.generation === generation)) {
    if (said.size > read.size || said.root !== read.root(said.size))
      monitor.violated(`a checkpoint of ${said.size} entries was signed that the log of generation ${generation} is not consistent with`);
  }
  const { head } = store;
  if (head?.generation === generation && !head.claimed && (head.size !== read.size || head.root !== read.root(read.size)))
    monitor.violated(`the head says ${head.size} entries, the checkpoint ${read.size}`);
}

/** What each entry is: one of before, the end of the log before this one, or an event's leaf, and none of them twice. */
function judgeEntries(
  { monitor, scenario, store }: AuditWorld,
  generation: number,
  { entries }: History,
  before: { readonly generation: number; readonly read: History } | undefined,
  places: Map<string, string>,
): void {
  const leaves = new Set([...store.recorded.values()].map(({ leaf }) => leaf));
  const known = generation === 1 ? scenario.entriesBefore : 0;
  entries.forEach((entry, index) => {
    if (index < known) {
      if (entry !== entryBefore(index)) monitor.violated(`entry ${index}, which was there before, is another one`);
    } else if (index === 0 && before) {
      const { read } = before;
      const said = JSON.parse(entry);
      if (said.size !== read.size || said.root !== read.root(read.size))
        monitor.violated(`generation ${generation} follows ${said.size} entries; generation ${before.generation} has ${read.size}`);
    } else if (places.has(entry)) monitor.violated(`entry ${generation}/${index} is in the log already, at ${places.get(entry)}`);
    else if (!leaves.has(entry)) monitor.violated(`entry ${generation}/${index} is no leaf that was recorded`);
    else places.set(entry, `${generation}/${index}`);
  });
}

/** Entries of the newest checkpoint, read from its bundles (C2SP tlog-tiles: each after its length, big-endian uint16). */
function publishedEntries({ monitor, store }: AuditWorld, generation: number): readonly string[] {
  const size = monitor.publishedSizes.get(generation) ?? 0;
  const entries: string[] = [];
  for (let bundle = 0; bundle * 256 < size; bundle++) {
    const width = Math.min(256, size - bundle * 256);
    const path = `${generation}/tile/entries/${String(bundle).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`;
    const bytes = Buffer.from(store.objects.get(path) ?? []);
    for (let at = 0; at + 2 <= bytes.length; at += 2 + bytes.readUInt16BE(at))
      entries.push(bytes.toString('utf8', at + 2, at + 2 + bytes.readUInt16BE(at)));
  }
  return entries;
}

const short = (eventId: EventId): string => eventId.slice(-4);
