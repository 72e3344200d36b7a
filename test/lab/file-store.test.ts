import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { manualClock } from '../../functions/memory/clock.ts';
import { type ItemStore, memoryItemStore } from '../../functions/memory/item-store.ts';
import { fileItemStore } from '../../lab/store/file-store.ts';
import { labStateBackups } from '../../lab/store/state-backups.ts';
import { home, standby } from '../support/recovery-points.ts';

const clock = manualClock('2026-11-21T08:00:00.000Z');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'codeblue-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe.each<[string, () => ItemStore]>([
  ['in files', () => fileItemStore(dir, clock)],
  ['in memory', () => memoryItemStore(clock)],
])('an item store %s', (_, open) => {
  test('keeps what it was given, and gives copies', () => {
    const store = open();
    const value = { text: 'line\nbreak, "quotes", Zoë', list: [1, null, { deep: true }] };
    expect(store.put('items', 'a/b c', value)).toBe(1);
    const found = store.get('items', 'a/b c');
    expect(found).toEqual({ key: 'a/b c', version: 1, updatedAt: clock.now().toISOString(), value });
    Object.assign(found?.value ?? {}, { text: 'changed' });
    expect(store.get('items', 'a/b c')?.value).toEqual(value);
    expect(store.get('others', 'a/b c')).toBeUndefined();
  });

  test('writes only under the condition it is given', () => {
    const store = open();
    store.put('items', 'k', 1, 'absent');
    expect(() => store.put('items', 'k', 2, 'absent')).toThrow(expect.objectContaining({ name: 'Conflict' }));
    expect(store.put('items', 'k', 2, { version: 1 })).toBe(2);
    expect(() => store.put('items', 'k', 3, { version: 1 })).toThrow(expect.objectContaining({ name: 'Conflict' }));
    expect(() => store.put('items', 'absent', 3, { version: 1 })).toThrow(expect.objectContaining({ name: 'Conflict' }));
    expect(store.get('items', 'k')).toMatchObject({ value: 2, version: 2 });
  });

  test('lists by prefix in the order of keys, and forgets what was deleted', () => {
    const store = open();
    for (const key of ['b/2', 'a/1', 'b/10', 'b/1']) store.put('items', key, key);
    expect(store.delete('items', 'b/10')).toBe(true);
    expect(store.delete('items', 'b/10')).toBe(false);
    expect(store.list('items', 'b/').map(({ value }) => value)).toEqual(['b/1', 'b/2']);
    expect(store.put('items', 'b/10', 'again', 'absent')).toBe(1);
  });
});

describe('a store of files', () => {
  test('is one store for several processes: no write is lost', async () => {
    const script = new URL('./support/child-counter.ts', import.meta.url).pathname;
    const codes = await Promise.all(
      Array.from({ length: 3 }, async () => (await once(spawn(process.execPath, [script, dir, '100'], { stdio: 'inherit' }), 'close'))[0]),
    );
    expect(codes).toEqual([0, 0, 0]);
    expect(fileItemStore(dir, clock).get('counters', 'shared')).toMatchObject({ value: 300, version: 300 });
  });

  test('shows what another instance wrote', () => {
    const [one, other] = [fileItemStore(dir, clock), fileItemStore(dir, clock)];
    one.put('items', 'k', 'first');
    expect(other.get('items', 'k')?.value).toBe('first');
    other.put('items', 'k', 'second', { version: 1 });
    expect(one.list('items')).toMatchObject([{ value: 'second', version: 2 }]);
  });

  test('survives a writer that was killed in the middle of a line, and one that held the lock', () => {
    const store = fileItemStore(dir, clock);
    store.put('items', 'k', 1);
    appendFileSync(join(dir, 'items.jsonl'), '{"key":"k","vers');
    writeFileSync(join(dir, 'items.jsonl.lock'), String(2 ** 30));
    expect(store.get('items', 'k')?.value).toBe(1);
    expect(store.put('items', 'k', 2, { version: 1 })).toBe(2);
    expect(fileItemStore(dir, clock).get('items', 'k')?.value).toBe(2);
    expect(readFileSync(join(dir, 'items.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('backups of the state', () => {
  test('restore into a table of their own and compare with the live one', async () => {
    const live = fileItemStore(join(dir, 'live'), clock);
    const backups = labStateBackups(live, fileItemStore(join(dir, 'backups'), clock), home, clock);
    for (const key of ['a', 'b', 'c']) live.put('state', key, { key });
    expect(await backups.backup('state', 'one')).toMatchObject({ status: 'available', table: 'state', name: 'one' });
    expect(await backups.backup('state', 'one')).toEqual((await backups.list('state'))[0]);
    const until = clock.now();

    await backups.restore('state', 'one', 'temporary');
    expect(await backups.describeRestored('temporary')).toBe('available');
    expect(await backups.compare('state', 'temporary', until)).toEqual({ compared: 3, missing: 0, different: 0 });

    await clock.sleep(1000);
    live.put('state', 'd', 'later');
    expect(await backups.compare('state', 'temporary', until)).toEqual({ compared: 3, missing: 0, different: 0 });
    expect(await backups.compare('state', 'temporary', clock.now())).toEqual({ compared: 4, missing: 1, different: 0 });
    live.put('state', 'a', 'changed');
    expect(await backups.compare('state', 'temporary', clock.now())).toEqual({ compared: 4, missing: 1, different: 1 });

    await backups.removeRestored('temporary');
    expect(await backups.describeRestored('temporary')).toBe('absent');
    await backups.remove('state', 'one');
    expect(await backups.list('state')).toEqual([]);
    await expect(backups.restore('state', 'one', 'temporary')).rejects.toMatchObject({ name: 'NotFound' });
  });

  test('of a log hold what is of that region, and stay in it', async () => {
    const live = fileItemStore(join(dir, 'live'), clock);
    const kept = fileItemStore(join(dir, 'backups'), clock);
    const [here, there] = [home, standby].map((region) => labStateBackups(live, kept, region, clock));
    if (!here || !there) throw new TypeError('two regions');
    for (const region of [home, standby]) live.put('audit-heads', region, { region });
    for (const id of ['a', 'b']) for (const kind of ['leaves', 'places']) live.put(`audit-${kind}-${home}`, id, { kind });
    live.put(`audit-leaves-${standby}`, 'c', {});
    for (const backups of [here, there]) {
      await backups.backup(backups.logTable(), 'one');
      await backups.restore(backups.logTable(), 'one', 'temporary');
    }
    expect(await here.compare(here.logTable(), 'temporary', clock.now())).toEqual({ compared: 5, missing: 0, different: 0 });
    expect(await there.compare(there.logTable(), 'temporary', clock.now())).toEqual({ compared: 2, missing: 0, different: 0 });
    await there.removeRestored('temporary');
    expect([await here.listRestored(), await there.listRestored()].map(({ length }) => length)).toEqual([1, 0]);
  });
});
