import { beforeEach, describe, expect, it } from 'vitest';
import { type AuditWatchMemory, SeenCheckpoint, WatchProgress } from '../../functions/audit/ports.ts';
import { elsewhere, home } from '../support/incidents.ts';

const seen = (size: number, facts: Partial<SeenCheckpoint> = {}) =>
  SeenCheckpoint.parse({
    ...{ region: home, generation: 1, note: `a note of ${size}`, size, seenAt: '2026-11-21T07:00:00.000Z', verifiedSize: 0 },
    ...facts,
  });
const progress = (version: number, facts: Partial<WatchProgress> = {}) =>
  WatchProgress.parse({
    check: 'verify-audit-log/us-east-1',
    version,
    startedAt: '2026-11-21T07:00:00.000Z',
    state: { next: 1 },
    ...facts,
  });

/** What every memory of the watch must do. */
export function auditWatchMemoryContract(make: () => Promise<AuditWatchMemory>): void {
  describe("the watch's memory", () => {
    let memory: AuditWatchMemory;
    beforeEach(async () => {
      memory = await make();
    });

    it('keeps the checkpoint seen last of each log', async () => {
      expect(await memory.last(home, 1)).toBeUndefined();
      expect(await memory.remember(seen(5))).toBe(true);
      expect(await memory.remember(seen(7, { generation: 2 }))).toBe(true);
      expect(await memory.remember(seen(9, { region: elsewhere }))).toBe(true);
      expect(await memory.remember(seen(6, { verifiedSize: 5 }))).toBe(true);
      expect(await memory.last(home, 1)).toEqual(seen(6, { verifiedSize: 5 }));
      expect(await memory.last(home, 2)).toEqual(seen(7, { generation: 2 }));
      expect(await memory.last(elsewhere, 1)).toEqual(seen(9, { region: elsewhere }));
    });

    it('never goes back', async () => {
      await memory.remember(seen(6, { verifiedSize: 5 }));
      expect(await memory.remember(seen(5, { verifiedSize: 5 }))).toBe(false);
      expect(await memory.remember(seen(7, { verifiedSize: 4 }))).toBe(false);
      expect(await memory.last(home, 1)).toEqual(seen(6, { verifiedSize: 5 }));
    });

    it('goes on from where a check has come, for one run only', async () => {
      expect(await memory.progress('verify-audit-log/us-east-1')).toBeUndefined();
      expect(await memory.keepProgress(progress(2))).toBe(false);
      const firsts = await Promise.all([1, 2].map((next) => memory.keepProgress(progress(1, { state: { next } }))));
      expect(firsts.filter(Boolean)).toHaveLength(1);
      const kept = progress(2, { state: { next: 10, digests: ['a'] } });
      expect(await memory.keepProgress(kept)).toBe(true);
      expect(await memory.keepProgress(progress(2))).toBe(false);
      expect(await memory.progress('verify-audit-log/us-east-1')).toEqual(kept);
      expect(await memory.progress('verify-audit-log/us-west-2')).toBeUndefined();
    });
  });
}
