import { createHash } from 'node:crypto';
import { recordedEvent } from '../../../functions/audit/events/recorded.ts';
import { append, emptyEdge } from '../../../functions/audit/log/append.ts';
import { bundleOf, entriesIn } from '../../../functions/audit/log/bundles.ts';
import { checkpointText, parseCheckpoint, signedNote } from '../../../functions/audit/log/checkpoint.ts';
import { leafHashesOf } from '../../../functions/audit/log/merkle.ts';
import { LogHead, TILE_WIDTH } from '../../../functions/audit/log/models.ts';
import { bundlePath, tileLevels, tilePath, tileWidth } from '../../../functions/audit/log/tile-paths.ts';
import { RecordedEvent } from '../../../functions/audit/ports.ts';
import type { FindingCode } from '../../../functions/audit/watch/finding.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { auditLogOrigin } from '../../../functions/common/names.ts';
import { memoryCheckpointSigner } from '../../../functions/memory/audit/checkpoint-signer.ts';
import { aBody, eventIdOf } from '../../support/audit-events.ts';
import { plain, primary, type WatchedWorld, type WorldState } from './watched-world.ts';

/** Somebody who may write whatever he likes, wherever he likes, but in what the watch remembers. `draw(n)` is a number below n. */
interface Reach {
  readonly world: WatchedWorld;
  readonly older: WorldState;
  readonly draw: (below: number) => number;
}

interface Tampering {
  readonly alarm: FindingCode;
  readonly do: (reach: Reach) => Promise<void> | void;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** The objects of one generation, with their locks broken. */
function logOf({ versions, operations }: WatchedWorld, generation: number) {
  const key = (path: string) => `${primary} ${generation}/${path}`;
  const get = (path: string): Uint8Array => {
    const found = versions.get(key(path))?.at(-1)?.bytes;
    if (!found) throw new TypeError(`there is no ${generation}/${path}`);
    return found;
  };
  const put = (path: string, bytes: Uint8Array) => versions.set(key(path), [{ bytes, lockedUntil: 0 }]);
  const { size } = parseCheckpoint(`${text(get('checkpoint')).split('\n\n')[0]}\n`);
  const bundle = (entry: number) => bundlePath(Math.floor(entry / TILE_WIDTH), tileWidth(size, 0, Math.floor(entry / TILE_WIDTH)));
  const entries = () =>
    Array.from({ length: Math.ceil(size / TILE_WIDTH) }, (_, index) => entriesIn(get(bundle(index * TILE_WIDTH)))).flat();
  return {
    ...{ get, put, size, bundle, entries },
    remove: (path: string) => versions.delete(key(path)),
    /** Another history, by the log's own key: everything as it should be, but for what it says. */
    async rewrite(all: readonly Uint8Array[]) {
      const { size: newSize, root, objects } = append(emptyEdge, all);
      for (const { path, bytes } of objects) put(path, bytes);
      await publish(newSize, root, 'keys of the watched world');
    },
    publish,
  };
  async function publish(newSize: number, root: Uint8Array, secret: string) {
    const signer = memoryCheckpointSigner({ region: primary, secret: Buffer.from(secret) });
    const origin = auditLogOrigin(operations(), primary, generation);
    const words = checkpointText({ origin, size: newSize, root });
    const signature = await signer.sign(generation, Buffer.from(words));
    put('checkpoint', Buffer.from(signedNote(words, origin, await signer.publicKey(primary, generation), signature)));
  }
}

const anyGeneration = ({ world, draw }: Reach) => logOf(world, 1 + draw(3));

/** Changes one digit of an entry's commitment, so that it stays well formed. */
function withOtherDigit(bytes: Uint8Array, draw: Reach['draw']): Uint8Array {
  const changed = Buffer.from(bytes);
  const at = changed.indexOf('"commitment":"') + '"commitment":"'.length + draw(64);
  changed[at] = changed[at] === 0x30 ? 0x31 : 0x30;
  return changed;
}

/** An event of the table, out of the middle of everything. */
function anEventOf({ world, draw }: Reach) {
  const all = world.store.list('audit-recorded');
  const found = all[draw(all.length)];
  if (!found) throw new TypeError('there are no events');
  return {
    key: found.key,
    event: RecordedEvent.parse(found.value),
    put: (event: object) => world.store.put('audit-recorded', found.key, plain(event)),
  };
}

export const tamperings = {
  'an entry is changed': {
    alarm: 'AuditLogRewritten',
    do(reach) {
      const log = anyGeneration(reach);
      const at = 1 + reach.draw(log.size - 1);
      const entries = [...entriesIn(log.get(log.bundle(at)))];
      entries[at % TILE_WIDTH] = withOtherDigit(entries[at % TILE_WIDTH] ?? new Uint8Array(), reach.draw);
      log.put(log.bundle(at), bundleOf(entries));
    },
  },
  'an entry and its tile are changed together': {
    alarm: 'AuditLogRewritten',
    do(reach) {
      const log = logOf(reach.world, 1);
      // The last one, which is partial, for half of all draws.
      const last = Math.floor(log.size / TILE_WIDTH);
      const bundle = Math.min(last, reach.draw(2 * last));
      const width = tileWidth(log.size, 0, bundle);
      const entries = entriesIn(log.get(bundlePath(bundle, width)));
      const at = reach.draw(width);
      const changed = bundleOf(entries.with(at, withOtherDigit(entries[at] ?? new Uint8Array(), reach.draw)));
      log.put(bundlePath(bundle, width), changed);
      log.put(tilePath(0, bundle, width), leafHashesOf(changed, width));
    },
  },
  'something stands behind the last entry of a bundle': {
    alarm: 'AuditLogRewritten',
    do(reach) {
      const log = anyGeneration(reach);
      const path = log.bundle(reach.draw(log.size));
      log.put(path, Buffer.concat([log.get(path), Buffer.of(0, 1, 65)]));
    },
  },
  'a tile is changed': {
    alarm: 'AuditLogRewritten',
    do(reach) {
      const log = anyGeneration(reach);
      const level = reach.draw(tileLevels(log.size));
      const tiles = Math.ceil(Math.floor(log.size / TILE_WIDTH ** level) / TILE_WIDTH);
      const index = reach.draw(tiles);
      const path = tilePath(level, index, tileWidth(log.size, level, index));
      const bytes = Buffer.from(log.get(path));
      const at = reach.draw(bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << reach.draw(8)), at);
      log.put(path, bytes);
    },
  },
  'entries are cut below the checkpoint': {
    alarm: 'AuditLogRewritten',
    do(reach) {
      const log = anyGeneration(reach);
      const last = Math.floor((log.size - 1) / TILE_WIDTH);
      log.remove(log.bundle(log.size - 1));
      log.remove(tilePath(0, last, tileWidth(log.size, 0, last)));
    },
  },
  'a checkpoint is signed by another key': {
    alarm: 'AuditLogForked',
    async do(reach) {
      const log = anyGeneration(reach);
      const { size, root } = parseCheckpoint(`${text(log.get('checkpoint')).split('\n\n')[0]}\n`);
      await log.publish(size, root, 'another key');
    },
  },
  'the verifier key that is told is another one': {
    alarm: 'AuditLogForked',
    do(reach) {
      const log = anyGeneration(reach);
      const key = text(log.get('verifier-key'));
      log.put(
        'verifier-key',
        Buffer.from(key.replace(/[A-Za-z]=*\n$/, (end) => (end.startsWith('A') ? `B${end.slice(1)}` : `A${end.slice(1)}`))),
      );
    },
  },
  'an older log is put back whole': {
    alarm: 'AuditLogTruncated',
    do({ world, older }) {
      world.versions.clear();
      for (const [path, all] of older.versions) world.versions.set(path, [...all]);
      for (const collection of [
        'audit-heads',
        `audit-places-${primary}`,
        `audit-batches-${primary}`,
        `audit-leaves-${primary}`,
        'audit-recorded',
      ]) {
        for (const { key } of world.store.list(collection)) world.store.delete(collection, key);
        for (const { key, value } of older.store.list(collection)) world.store.put(collection, key, plain(value));
      }
    },
  },
  'the newest log is removed whole, and the head set back to the end of the one before': {
    alarm: 'AuditLogTruncated',
    async do({ world }) {
      await world.check(); // seen by now
      const before = logOf(world, 2);
      const { size, root } = parseCheckpoint(`${text(before.get('checkpoint')).split('\n\n')[0]}\n`);
      for (const path of [...world.versions.keys()].filter((key) => key.startsWith(`${primary} 3/`))) world.versions.delete(path);
      world.store.put('audit-heads', primary, { version: 999, generation: 2, size, root: Buffer.from(root).toString('base64') });
    },
  },
  'another history of the same size takes the place of a log that was seen': {
    alarm: 'AuditLogForked',
    async do({ world, draw }) {
      const log = logOf(world, 1 + draw(2));
      const entries = log.entries();
      const at = 1 + draw(entries.length - 1);
      await log.rewrite(entries.with(at, withOtherDigit(entries[at] ?? new Uint8Array(), draw)));
    },
  },
  'another history takes the place of a log that was seen, and goes on': {
    alarm: 'AuditLogForked',
    async do({ world, draw }) {
      await world.check();
      const log = logOf(world, 3);
      const entries = log.entries();
      const at = 1 + draw(entries.length - 1);
      const more = entries.slice(1, 2 + draw(300));
      await log.rewrite([...entries.with(at, withOtherDigit(entries[at] ?? new Uint8Array(), draw)), ...more]);
    },
  },
  'a closed log grows': {
    alarm: 'AuditLogForked',
    async do({ world, draw }) {
      const log = logOf(world, 1 + draw(2));
      const entries = log.entries();
      await log.rewrite([...entries, ...entries.slice(1, 2 + draw(300))]);
    },
  },
  'a log commits to another end of the one before': {
    alarm: 'AuditLogForked',
    async do({ world, draw }) {
      const log = logOf(world, 3);
      const [first = new Uint8Array(), ...rest] = log.entries();
      const leaf = JSON.parse(text(first));
      const other = [
        { root: createHash('sha256').update('another').digest('base64') },
        { size: leaf.size - 1 - draw(5) },
        { origin: `${leaf.origin}/other` },
      ][draw(3)];
      await log.rewrite([Buffer.from(JSON.stringify({ ...leaf, ...other })), ...rest]);
    },
  },
  'a log that follows another begins with an event': {
    alarm: 'AuditLogForked',
    async do({ world }) {
      const log = logOf(world, 3);
      await log.rewrite(log.entries().slice(1));
    },
  },
  'the head is set back': {
    alarm: 'AuditLogTruncated',
    do({ world, draw }) {
      const head = LogHead.parse(world.store.get('audit-heads', primary)?.value);
      world.store.put('audit-heads', primary, { ...head, size: draw(head.size) });
    },
  },
  'the head is of another history': {
    alarm: 'AuditLogForked',
    do({ world }) {
      const head = LogHead.parse(world.store.get('audit-heads', primary)?.value);
      world.store.put('audit-heads', primary, { ...head, root: createHash('sha256').update('another').digest('base64') });
    },
  },
  'the head is removed': {
    alarm: 'AuditLogTruncated',
    do({ world }) {
      world.store.delete('audit-heads', primary);
    },
  },
  'a leaf of the table is changed': {
    alarm: 'AuditLogGap',
    do(reach) {
      const { event, put } = anEventOf(reach);
      put({ ...event, leaf: text(withOtherDigit(Buffer.from(event.leaf), reach.draw)) });
    },
  },
  'a body is changed': {
    alarm: 'AuditBodyAltered',
    do(reach) {
      const { event, put } = anEventOf(reach);
      put({ ...event, body: event.body?.replace('nurse-17', 'nurse-18') });
    },
  },
  'a body is taken away': {
    alarm: 'AuditBodyAltered',
    do(reach) {
      const { event, put } = anEventOf(reach);
      const { body: _, salt: __, ...rest } = event;
      put(reach.draw(2) === 0 ? rest : { ...rest, erasedAt: event.recordedAt });
    },
  },
  'an event is removed from the table': {
    alarm: 'AuditLogGap',
    do(reach) {
      reach.world.store.delete('audit-recorded', anEventOf(reach).key);
    },
  },
  'an event is put into the table past the log': {
    alarm: 'AuditLogGap',
    do({ world, draw }) {
      const number = 100_000 + draw(1000);
      const recordedAt = timestamp(new Date(world.clock.now().getTime() - 500_000));
      const event = recordedEvent({ body: aBody(number, { at: recordedAt }), region: primary, recordedAt, salt: new Uint8Array(32) });
      world.store.put('audit-recorded', `${primary} ${event.eventId}`, plain(event));
      // Half of all draws say that it stands where another one does.
      if (draw(2) === 1) world.store.put(`audit-places-${primary}`, event.eventId, { generation: 1, index: draw(700) });
    },
  },
  'the place of an event is changed': {
    alarm: 'AuditLogGap',
    do({ world, draw }) {
      const number = draw(2000);
      const collection = `audit-places-${primary}`;
      const place = world.store.get(collection, eventIdOf(number));
      if (!place) throw new TypeError('the event has no place');
      const { generation, index } = JSON.parse(JSON.stringify(place.value));
      world.store.put(collection, eventIdOf(number), { generation, index: index === 0 ? 1 : index - 1 });
    },
  },
  'an event is taken out of the queue': {
    alarm: 'AuditLogGap',
    async do({ world, draw }) {
      const number = 200_000 + draw(1000);
      await world.record(number, 1);
      world.store.delete(`audit-waiting-${primary}`, eventIdOf(number));
      world.clock.advance(600);
    },
  },
  'an event is put into the log twice': {
    alarm: 'AuditLogGap',
    async do({ world, draw }) {
      const log = logOf(world, 3);
      const entries = log.entries();
      const all = [...entries, entries[1 + draw(entries.length - 1)] ?? new Uint8Array()];
      await log.rewrite(all);
      const head = LogHead.parse(world.store.get('audit-heads', primary)?.value);
      world.store.put('audit-heads', primary, {
        ...head,
        size: all.length,
        root: Buffer.from(append(emptyEdge, all).root).toString('base64'),
      });
    },
  },
} as const satisfies Record<string, Tampering>;

export type TamperingName = keyof typeof tamperings;
export const tamperingNames = Object.keys(tamperings).filter((name): name is TamperingName => name in tamperings);
