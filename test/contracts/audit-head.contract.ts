import { beforeEach, describe, expect, it } from 'vitest';
import { BATCH_LIMIT, Batch, LogHead } from '../../functions/audit/log/models.ts';
import type { AuditHead } from '../../functions/audit/ports.ts';
import { Conflict } from '../../functions/common/errors.ts';
import { eventIdOf } from '../support/audit-events.ts';

const rootOf = (text: string) => Buffer.from(text.padEnd(32)).toString('base64');
const head = (version: number, facts: Partial<LogHead> = {}) =>
  LogHead.parse({ version, generation: 1, size: 0, root: rootOf('empty'), ...facts });
const batch = (count: number, facts: Partial<Batch> = {}) =>
  Batch.parse({ batchId: 'b-1', generation: 1, from: 0, eventIds: Array.from({ length: count }, (_, n) => eventIdOf(n)), ...facts });

/** What every head of a log must do. @param make two writers of one head */
export function auditHeadContract(make: () => Promise<readonly [AuditHead, AuditHead]>): void {
  describe('the head of the log', () => {
    let one: AuditHead;
    let other: AuditHead;
    beforeEach(async () => {
      [one, other] = await make();
    });

    it('is not there at first, and then what was written last', async () => {
      expect(await one.read()).toBeUndefined();
      expect(await one.write(head(1))).toBe(true);
      expect(await one.write(head(2, { claimed: { batchId: 'b-1', size: 3 } }))).toBe(true);
      expect(await other.read()).toEqual(head(2, { claimed: { batchId: 'b-1', size: 3 } }));
      expect(await other.write(head(3, { size: 3, root: rootOf('three') }))).toBe(true);
      expect(await one.read()).toEqual(head(3, { size: 3, root: rootOf('three') }));
    });

    it('lets one of two writers through, also for the first write', async () => {
      for (const version of [1, 2, 3]) {
        const claims = ['mine', 'yours'].map((batchId) => head(version, { claimed: { batchId, size: 1 } }));
        const [mine, yours] = claims;
        if (!mine || !yours) throw new TypeError('two claims');
        const stands = await Promise.all([one.write(mine), other.write(yours)]);
        expect(stands.filter(Boolean)).toHaveLength(1);
        expect(await one.read()).toEqual(stands[0] ? mine : yours);
      }
    });

    it('is not written over another version than the one that was seen', async () => {
      expect(await one.write(head(2))).toBe(false);
      await one.write(head(1));
      expect(await one.write(head(1, { size: 5 }))).toBe(false);
      expect(await one.write(head(3))).toBe(false);
      expect(await one.read()).toEqual(head(1));
    });

    it('tells a writer whose answer was lost that its write stands', async () => {
      await one.write(head(1));
      expect(await one.write(head(1))).toBe(true);
      await other.write(head(2));
      expect(await one.write(head(1))).toBe(false);
    });
  });

  describe('batches of the log', () => {
    let store: AuditHead;
    beforeEach(async () => {
      [store] = await make();
    });

    it('are kept as they were stored, also the longest', async () => {
      await store.putBatch(batch(BATCH_LIMIT, { predecessor: '{"format":"codeblue-audit-predecessor/1"}' }));
      expect(await store.batch('b-1')).toEqual(batch(BATCH_LIMIT, { predecessor: '{"format":"codeblue-audit-predecessor/1"}' }));
      expect(await store.batch('b-2')).toBeUndefined();
    });

    it('may be stored again, but not with other content', async () => {
      await store.putBatch(batch(3));
      await store.putBatch(batch(3));
      await expect(store.putBatch(batch(4))).rejects.toThrow(Conflict);
      await expect(store.putBatch(batch(3, { from: 1 }))).rejects.toThrow(Conflict);
      expect(await store.batch('b-1')).toEqual(batch(3));
    });
  });
}
