import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditObjects } from '../../functions/audit/ports.ts';
import { Conflict, InvalidInput, Locked } from '../../functions/common/errors.ts';
import type { Region } from '../../functions/common/ids.ts';
import { elsewhere, home } from '../support/incidents.ts';

export interface AuditObjectsHarness {
  /** The objects as functions of that Region have them. */
  in(region: Region): AuditObjects;
  /** The locks of two days of everything under that path are over. */
  twoDaysLater(path: string): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** What every store of a log's objects must do. */
export function auditObjectsContract(make: () => Promise<AuditObjectsHarness>): void {
  describe("the log's objects", () => {
    let harness: AuditObjectsHarness;
    let objects: AuditObjects;
    beforeEach(async () => {
      harness = await make();
      objects = harness.in(home);
    });
    const read = async (path: string) => {
      const found = await objects.get(home, path);
      return found && new TextDecoder().decode(found);
    };

    it('are created once: the same again is no error, and others are refused', async () => {
      expect(await objects.get(home, '1/tile/0/000')).toBeUndefined();
      await objects.create('1/tile/0/000', bytes('hashes'), 'kept');
      await objects.create('1/tile/0/000', bytes('hashes'), 'kept');
      await expect(objects.create('1/tile/0/000', bytes('others'), 'kept')).rejects.toThrow(Conflict);
      await expect(objects.create('1/tile/0/000', bytes(''), 'superseded')).rejects.toThrow(Conflict);
      expect(await read('1/tile/0/000')).toBe('hashes');
    });

    it('are created once by several writers at a time', async () => {
      await Promise.all([1, 2, 3].map(() => objects.create('1/tile/entries/000.p/3', bytes('entries'), 'superseded')));
      expect(await read('1/tile/entries/000.p/3')).toBe('entries');
    });

    it('are written to their own Region, and read from every one', async () => {
      await objects.create('1/tile/0/000', bytes('hashes'), 'kept');
      const other = harness.in(elsewhere);
      expect(await other.get(home, '1/tile/0/000')).toEqual(bytes('hashes'));
      expect(await other.get(elsewhere, '1/tile/0/000')).toBeUndefined();
      await other.create('1/tile/0/000', bytes('of another log'), 'kept');
      expect(await read('1/tile/0/000')).toBe('hashes');
    });

    it('are listed by prefix, ascending', async () => {
      const paths = ['1/tile/0/000', '1/tile/0/001.p/7', '1/tile/0/001', '1/tile/1/000.p/1', '1/tile/entries/000', '2/tile/0/000'];
      for (const path of paths) await objects.create(path, bytes(path), 'kept');
      expect(await Array.fromAsync(objects.list(home, '1/tile/0/'))).toEqual(['1/tile/0/000', '1/tile/0/001', '1/tile/0/001.p/7']);
      expect(await Array.fromAsync(objects.list(home, '1/'))).toHaveLength(5);
      expect(await Array.fromAsync(objects.list(elsewhere, '1/'))).toEqual([]);
    });

    describe('the checkpoint', () => {
      const path = '1/checkpoint';
      const publish = (note: string, previous?: string) =>
        objects.publishCheckpoint(path, bytes(note), previous === undefined ? undefined : bytes(previous));

      it('takes the place of the one that was read, and of no other', async () => {
        expect(await publish('two', 'one')).toBe(false);
        expect(await read(path)).toBeUndefined();
        expect(await publish('one')).toBe(true);
        expect(await publish('other')).toBe(false);
        expect(await publish('two', 'one')).toBe(true);
        expect(await publish('late', 'one')).toBe(false);
        expect(await read(path)).toBe('two');
        expect(await publish('three', 'two')).toBe(true);
        expect(await read(path)).toBe('three');
      });

      it('is published by one of two at a time', async () => {
        for (const previous of [undefined, 'stands']) {
          const notes = ['mine', 'yours'];
          const stands = await Promise.all(notes.map((note) => publish(note, previous)));
          expect(stands.filter(Boolean)).toHaveLength(1);
          const winner = notes[stands.indexOf(true)] ?? '';
          expect(await read(path)).toBe(winner);
          expect(await publish('stands', winner)).toBe(true);
        }
      });
    });

    describe('removing what is superseded', () => {
      it('waits for its lock', async () => {
        const path = '1/tile/entries/000.p/3';
        await objects.create(path, bytes('entries'), 'superseded');
        await objects.create('1/tile/entries/000.p/31', bytes('more entries'), 'superseded');
        await expect(objects.removeSuperseded(path)).rejects.toThrow(Locked);
        expect(await read(path)).toBe('entries');
        await harness.twoDaysLater(path);
        await objects.removeSuperseded(path);
        expect(await read(path)).toBeUndefined();
        expect(await Array.fromAsync(objects.list(home, '1/'))).toEqual(['1/tile/entries/000.p/31']);
        await objects.removeSuperseded(path); // twice is no error
      });

      it.each(['1/tile/entries/000', '1/checkpoint', '1/tile/0/000.p/', '1/verifier-key'])('never takes %s', async (path) => {
        await objects.create(path, bytes('kept'), 'superseded');
        await harness.twoDaysLater(path);
        await expect(objects.removeSuperseded(path)).rejects.toThrow(InvalidInput);
        expect(await read(path)).toBe('kept');
      });
    });
  });
}
