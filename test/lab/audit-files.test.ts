import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { days } from '../../functions/common/duration.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { LockedFiles } from '../../lab/audit/locked-files.ts';

const clock = manualClock('2026-11-22T08:00:00.000Z');
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const threeDays = 3 * 86_400_000;
let dir: string;
let files: LockedFiles;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'codeblue-test-'));
  files = new LockedFiles(dir, clock, days(2557));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('files under a lock', () => {
  test('are created once, and other bytes under their path are refused', () => {
    files.create('1/tile/0/000', bytes('one'), 'kept');
    files.create('1/tile/0/000', bytes('one'), 'kept');
    expect(() => files.create('1/tile/0/000', bytes('two'), 'kept')).toThrow(expect.objectContaining({ name: 'Conflict' }));
    expect(files.get('1/tile/0/000')).toEqual(bytes('one'));
    expect(files.get('1/tile/0/001')).toBeUndefined();
  });

  test('change only over what was read, and every version stays', () => {
    expect(files.replace('1/checkpoint', bytes('one'), undefined)).toBe(true);
    expect(files.replace('1/checkpoint', bytes('two'), undefined)).toBe(false);
    expect(files.replace('1/checkpoint', bytes('two'), bytes('one'))).toBe(true);
    expect(files.replace('1/checkpoint', bytes('late'), bytes('one'))).toBe(false);
    expect(files.get('1/checkpoint')).toEqual(bytes('two'));
    expect(readdirSync(join(dir, '.versions', '1', 'checkpoint'))).toHaveLength(2);
  });

  test('are listed in order, without versions and what is being written', () => {
    files.replace('1/checkpoint', bytes('one'), undefined);
    for (const path of ['1/tile/0/001', '1/tile/0/000', '1/tile/0/001.p/3']) files.create(path, bytes(path), 'kept');
    expect(files.list('1/tile/')).toEqual(['1/tile/0/000', '1/tile/0/001', '1/tile/0/001.p/3']);
    expect(files.list('')).toContain('1/checkpoint');
    expect(files.list('').some((path) => path.includes('.versions') || path.endsWith('.lock'))).toBe(false);
    expect(files.list('2/')).toEqual([]);
  });

  test('are removed only where they are superseded and their lock is over', () => {
    files.create('1/tile/0/000.p/3', bytes('partial'), 'superseded');
    files.create('1/tile/0/000.p/4', bytes('kept'), 'kept');
    expect(() => files.removeSuperseded('1/tile/0/000.p/3')).toThrow(expect.objectContaining({ name: 'Locked' }));
    const later = new LockedFiles(dir, { now: () => new Date(clock.now().getTime() + threeDays) }, days(2557));
    later.removeSuperseded('1/tile/0/000.p/3');
    expect(later.get('1/tile/0/000.p/3')).toBeUndefined();
    expect(() => later.removeSuperseded('1/tile/0/000.p/4')).toThrow(expect.objectContaining({ name: 'Locked' }));
    expect(() => later.removeSuperseded('1/tile/0/000')).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
  });

  test('lie nowhere but below their directory', () => {
    expect(() => files.get('../elsewhere')).toThrow(expect.objectContaining({ name: 'InvalidInput' }));
  });
});
