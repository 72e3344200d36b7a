import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import type { ManualClock } from '../../functions/memory/clock.ts';
import type { ItemStore } from '../../functions/memory/item-store.ts';

/** What every item store must do; `make` gives an empty one that reads the given clock. */
export function itemStoreContract(make: () => Promise<{ readonly store: ItemStore; readonly clock: ManualClock }>): void {
  describe('the item store', () => {
    let store: ItemStore;
    let clock: ManualClock;
    beforeEach(async () => {
      ({ store, clock } = await make());
    });

    it('gives back the JSON that was put, its version and the time of its last write', () => {
      const value = { text: 'Ä "quoted"\n', list: [1, null, true], nested: { empty: {} } };
      expect(store.put('things', 'a/b', value)).toBe(1);
      const firstWrite = clock.now().toISOString();
      expect(store.get('things', 'a/b')).toEqual({ key: 'a/b', value, version: 1, updatedAt: firstWrite });
      clock.advance(60);
      expect(store.put('things', 'a/b', 'other')).toBe(2);
      expect(store.get('things', 'a/b')).toEqual({ key: 'a/b', value: 'other', version: 2, updatedAt: clock.now().toISOString() });
    });

    it('keeps collections apart', () => {
      store.put('things', 'a', 1);
      expect(store.get('others', 'a')).toBeUndefined();
      expect(store.list('others')).toEqual([]);
    });

    it('writes only over what the condition names', () => {
      store.put('things', 'a', 'first', 'absent');
      expect(() => store.put('things', 'a', 'second', 'absent')).toThrow(Conflict);
      expect(() => store.put('things', 'a', 'second', { version: 2 })).toThrow(Conflict);
      expect(() => store.put('things', 'new', 'second', { version: 1 })).toThrow(Conflict);
      expect(store.get('things', 'a')?.value).toBe('first');
      expect(store.get('things', 'new')).toBeUndefined();
      expect(store.put('things', 'a', 'second', { version: 1 })).toBe(2);
    });

    it('deletes, and says whether there was anything', () => {
      store.put('things', 'a', 1);
      expect(store.delete('things', 'a')).toBe(true);
      expect(store.delete('things', 'a')).toBe(false);
      expect(store.get('things', 'a')).toBeUndefined();
      store.put('things', 'a', 2, 'absent');
      expect(store.get('things', 'a')?.value).toBe(2);
    });

    it('lists by prefix, ascending by key, whatever characters keys have', () => {
      for (const key of ['us-east-1/b', 'us-east-1/a', 'us-east-10/a', 'task#hms/daily#2026-11-21T07:00:00.000Z', 'Upper', '%2F', '..']) {
        store.put('things', key, key);
      }
      expect(store.list('things', 'us-east-1/').map(({ key }) => key)).toEqual(['us-east-1/a', 'us-east-1/b']);
      const all = store.list('things');
      expect(all.map(({ key }) => key)).toEqual([
        '%2F',
        '..',
        'Upper',
        'task#hms/daily#2026-11-21T07:00:00.000Z',
        'us-east-1/a',
        'us-east-1/b',
        'us-east-10/a',
      ]);
      expect(all.every(({ key, value }) => key === value)).toBe(true);
    });

    it('is not changed by changing what was put or given', () => {
      const value = { list: [1] };
      store.put('things', 'a', value);
      value.list.push(2);
      const given = store.get('things', 'a')?.value;
      if (typeof given === 'object' && given !== null) Object.assign(given, { list: 'changed' });
      expect(store.get('things', 'a')?.value).toEqual({ list: [1] });
    });
  });
}
