import { beforeEach, describe, expect, it } from 'vitest';
import type { RecoveryPoints, StateBackups } from '../../functions/backup/ports.ts';
import { NotFound, NotOwned } from '../../functions/common/errors.ts';
import type { ManualClock } from '../../functions/memory/clock.ts';
import { aRecoveryPoint } from '../support/recovery-points.ts';

export interface StateBackupsHarness {
  readonly stateBackups: StateBackups;
  /** Writes into the table of state under that clock. */
  readonly recoveryPoints: RecoveryPoints;
  readonly clock: ManualClock;
  /** Damages a restored table: takes one item out, and changes one. */
  readonly damage: { removeItem(into: string): Promise<void>; changeItem(into: string): Promise<void> };
}

const into = 'hms-restored-20261121t010000z-state';
const point = (day: number) => aRecoveryPoint(new Date(Date.UTC(2026, 10, day, 7)));

/** All stretches of a comparison, and how many there were. */
async function compareAll(backups: StateBackups, table: string, until: Date) {
  const all = { compared: 0, missing: 0, different: 0, stretches: 0 };
  let next: string | undefined;
  do {
    const stretch = await backups.compare(table, into, until, next);
    all.compared += stretch.compared;
    all.missing += stretch.missing;
    all.different += stretch.different;
    all.stretches += 1;
    next = stretch.next;
  } while (next !== undefined);
  return all;
}

/** What every store of table backups must do. It compares two items at a time. */
export function stateBackupsContract(make: () => Promise<StateBackupsHarness>): void {
  describe('backups of our own tables', () => {
    let harness: StateBackupsHarness;
    let backups: StateBackups;
    let table: string;
    beforeEach(async () => {
      harness = await make();
      backups = harness.stateBackups;
      table = backups.replicatedTables()[0] ?? '';
      for (const day of [1, 2, 3]) await harness.recoveryPoints.add(point(day));
    });

    async function restored(): Promise<Date> {
      await backups.backup(table, 'cb-one');
      const until = harness.clock.now();
      await backups.restore(table, 'cb-one', into);
      return until;
    }

    it('backs up once under one name', async () => {
      const first = await backups.backup(table, 'cb-one');
      const again = await backups.backup(table, 'cb-one');
      expect(again.createdAt).toEqual(first.createdAt);
      expect((await backups.list(table)).map(({ name, status }) => ({ name, status }))).toEqual([{ name: 'cb-one', status: 'available' }]);
    });

    it('keeps the tables apart', async () => {
      await backups.backup(table, 'cb-one');
      const [, events = ''] = backups.replicatedTables();
      expect(events).toBe(backups.eventsTable());
      for (const other of [events, backups.logTable()]) expect(await backups.list(other)).toEqual([]);
    });

    it('removes a backup, and removing what is gone is no error', async () => {
      await backups.backup(table, 'cb-one');
      await backups.backup(table, 'cb-two');
      await backups.remove(table, 'cb-one');
      await backups.remove(table, 'cb-one');
      expect((await backups.list(table)).map(({ name }) => name)).toEqual(['cb-two']);
    });

    it('finds a restored table equal to the live one', async () => {
      const until = await restored();
      expect(await backups.describeRestored(into)).toBe('available');
      expect(await compareAll(backups, table, until)).toEqual({ compared: 3, missing: 0, different: 0, stretches: 2 });
    });

    it('leaves out what was written after the backup', async () => {
      const until = await restored();
      harness.clock.advance(60);
      await harness.recoveryPoints.add(point(4));
      await harness.recoveryPoints.update({ ...point(1), sizeBytes: 7 });
      expect(await compareAll(backups, table, until)).toMatchObject({ compared: 2, missing: 0, different: 0 });
    });

    it('counts an item that is missing and one that differs', async () => {
      const until = await restored();
      await harness.damage.removeItem(into);
      await harness.damage.changeItem(into);
      expect(await compareAll(backups, table, until)).toMatchObject({ compared: 3, missing: 1, different: 1 });
    });

    it('restores once into one name, lists it, and removes it', async () => {
      await restored();
      await backups.restore(table, 'cb-one', into);
      expect((await backups.listRestored()).map((found) => found.into)).toEqual([into]);
      await backups.removeRestored(into);
      await backups.removeRestored(into);
      expect(await backups.describeRestored(into)).toBe('absent');
      expect(await backups.listRestored()).toEqual([]);
    });

    it('refuses to restore what is not there', async () => {
      await expect(backups.restore(table, 'cb-never', into)).rejects.toThrow(NotFound);
    });

    it('refuses to restore into or to remove a table that is not one of its own', async () => {
      await backups.backup(table, 'cb-one');
      await expect(backups.restore(table, 'cb-one', table)).rejects.toThrow(NotOwned);
      await expect(backups.removeRestored(table)).rejects.toThrow(NotOwned);
      expect(await harness.recoveryPoints.get(point(1).id)).toBeDefined();
    });
  });
}
