import { describe, expect, it } from 'vitest';
import { tableBackupsToExpire } from '../../functions/backup/back-up-tables.ts';
import { backupStateTables } from '../../functions/backup/backup-state-tables.ts';
import type { TableBackup } from '../../functions/backup/ports.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { memoryStateBackups } from '../../functions/memory/state-backups.ts';
import { StateVerificationRecord } from '../../functions/verify/state-backup-models.ts';
import {
  awaitStateRestore,
  compareState,
  recordStateVerdict,
  removeStateRestore,
  startStateRestore,
} from '../../functions/verify/steps/verify-state-backup.ts';
import { watchedRun } from '../support/dying-run.ts';
import { type MemoryWorld, memoryWorld } from '../support/host.ts';
import { expectActsClosed, storePoint } from '../support/inventory.ts';
import { deployedMachine, runMachine } from '../support/machine-run.ts';

const now = new Date('2026-11-21T06:00:00.000Z');

/** A deployment with something in its tables, older than a minute. */
async function worldWithState(): Promise<MemoryWorld> {
  const world = memoryWorld({ start: now.toISOString() });
  await storePoint(world, now);
  await storePoint(world, new Date(now.getTime() - 86_400_000));
  world.clock.advance(120);
  return world;
}

const startedFor = (world: MemoryWorld, table: string): StateVerificationRecord => {
  const inputs = world.ports.executions.started.map(({ input }) => StateVerificationRecord.parse(input));
  const found = inputs.findLast((input) => input.table === table);
  if (!found) throw new TypeError(`no verification of ${table} was started`);
  return found;
};

const stepIn = (world: MemoryWorld) => async (of: Parameters<typeof world.step>[0], record: StateVerificationRecord) =>
  StateVerificationRecord.parse(await world.step(of, record));

/** As the machine does: restore, wait, compare, remove, look again, record. `damage` happens to the restored table. */
async function verify(world: MemoryWorld, record: StateVerificationRecord, damage: (into: string) => void = () => {}) {
  const step = stepIn(world);
  const restored = await step(awaitStateRestore, await step(startStateRestore, record));
  damage(record.into);
  const removing = await step(removeStateRestore, await step(compareState, restored));
  return step(recordStateVerdict, await step(removeStateRestore, removing));
}

describe("backups of Codeblue's own tables", () => {
  it('are taken of every replicated table, and each starts its own restore test', async () => {
    const world = await worldWithState();
    await world.run(backupStateTables);
    const { stateBackups, executions } = world.ports;
    expect(executions.started.map(({ machine, input }) => [machine, StateVerificationRecord.parse(input).table])).toEqual([
      ['verify-state-backup', 'state'],
      ['verify-state-backup', 'audit'],
    ]);
    for (const table of stateBackups.replicatedTables()) expect(await stateBackups.list(table)).toHaveLength(1);
    expect(await stateBackups.list(stateBackups.logTable())).toEqual([]); // each Region's own: another task's
    await expectActsClosed(world, 0);
  });

  it('are one each, with one restore test each, wherever the run dies', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let call = 1, died = true; died; call++) {
        const world = await worldWithState();
        const watched = watchedRun(world.ports, { death: { call, when } });
        const scheduledAt = world.clock.now();
        await world.run(backupStateTables, { scheduledAt }, { ports: watched.ports }).catch(() => {});
        died = watched.died();
        world.clock.advance(backupStateTables.timeout);
        await storePoint(world, new Date(now.getTime() - 172_800_000)); // life goes on
        world.clock.advance(backupStateTables.timeout);
        await world.run(backupStateTables, { scheduledAt });
        for (const table of world.ports.stateBackups.replicatedTables()) {
          expect(await world.ports.stateBackups.list(table)).toHaveLength(1);
        }
        expect(world.ports.executions.started).toHaveLength(2);
        // What was written after the first attempt took the backup is not in it, and nobody expects it there.
        expect((await verify(world, startedFor(world, 'state'))).verdict).toBe('verified');
        await expectActsClosed(world, 1);
      }
    }
  });

  it('are kept for thirty days; the newest available one is kept whatever its age', () => {
    const aBackup = (daysOld: number, status: TableBackup['status'] = 'available'): TableBackup => ({
      ...{ table: 'state', name: `cb-${daysOld}`, status, sizeBytes: 1 },
      createdAt: new Date(now.getTime() - daysOld * 86_400_000),
    });
    const expired = (...backups: readonly TableBackup[]) => tableBackupsToExpire(backups, now).map(({ name }) => name);
    expect(expired(aBackup(1), aBackup(29), aBackup(31), aBackup(60))).toEqual(['cb-60', 'cb-31']);
    expect(expired(aBackup(1, 'failed'), aBackup(40), aBackup(60))).toEqual(['cb-60']);
    expect(expired(aBackup(31, 'failed'), aBackup(32, 'creating'), aBackup(40))).toEqual(['cb-31']);
  });

  it('past their time are removed by the next run', async () => {
    const world = await worldWithState();
    for (let month = 0; month < 3; month++) {
      await world.run(backupStateTables);
      world.clock.advance(31 * 86_400);
    }
    await world.run(backupStateTables);
    expect(await world.ports.stateBackups.list('state')).toHaveLength(1);
  });
});

describe("the restore test of a backup of Codeblue's own tables", () => {
  const backedUp = async (table = 'state') => {
    const world = await worldWithState();
    await world.run(backupStateTables);
    return { world, record: startedFor(world, table) };
  };

  it('verifies a sound backup and leaves nothing behind', async () => {
    const { world, record } = await backedUp();
    const verdict = await verify(world, record);
    expect(verdict).toMatchObject({ verdict: 'verified', compared: 2, removal: 'removed' });
    expect(await world.ports.stateBackups.listRestored()).toEqual([]);
    expect(world.ports.metrics.latest('StateItemsLost', { Table: 'state' })).toBe(0);
    await expectActsClosed(world, 0);
  });

  it('refuses one that lacks an item', async () => {
    const { world, record } = await backedUp();
    const verdict = await verify(world, record, (into) => world.ports.stateBackups.alterRestored(into, (contents) => contents.slice(1)));
    expect(verdict.verdict).toBe('refused');
    expect(verdict.checks).toMatchObject([{ result: 'failed', findings: [expect.stringContaining('1 missing, 0 different')] }]);
    expect(world.ports.metrics.latest('StateItemsLost', { Table: 'state' })).toBe(1);
  });

  it('refuses one in which an item was changed', async () => {
    const { world, record } = await backedUp();
    const change = (into: string) =>
      world.ports.stateBackups.alterRestored(into, ([first, ...rest]) => (first ? [{ ...first, value: { changed: true } }, ...rest] : []));
    const verdict = await verify(world, record, change);
    expect(verdict.verdict).toBe('refused');
    expect(verdict.checks).toMatchObject([{ result: 'failed', findings: [expect.stringContaining('0 missing, 1 different')] }]);
  });

  it('refuses a sound one whose temporary table is still there', async () => {
    const { world, record } = await backedUp();
    const step = stepIn(world);
    const compared = await step(compareState, await step(awaitStateRestore, await step(startStateRestore, record)));
    expect((await step(recordStateVerdict, compared)).verdict).toBe('refused');
    const stuck = { ...world.ports, stateBackups: { ...world.ports.stateBackups, removeRestored: async () => {} } };
    const removing = StateVerificationRecord.parse(await world.step(removeStateRestore, compared, { ports: stuck }));
    expect([removing.removal, (await step(recordStateVerdict, removing)).verdict]).toEqual(['removing', 'refused']);
    world.clock.advance(10 * 3600 + 1801);
    await expect(world.step(removeStateRestore, removing, { ports: stuck })).rejects.toMatchObject({ name: 'TeardownTimedOut' });
  });

  it('refuses whatever the machine could not finish', async () => {
    const { world, record } = await backedUp();
    const step = stepIn(world);
    expect((await step(recordStateVerdict, { ...record, removal: 'removed' })).verdict).toBe('refused');
    const sound = await verify(world, record);
    expect((await step(recordStateVerdict, { ...sound, failure: { Error: 'RestoreTimedOut' } })).verdict).toBe('refused');
    const verdicts = (await world.ports.auditLog.recent(new Date(0), 100)).filter(
      ({ action, phase }) => action === 'record-state-verdict' && phase === 'intent',
    );
    expect(verdicts.map(({ details }) => details.verdict).sort()).toContain('refused');
  });

  it('waits for a backup that is still being made, and gives a restore four hours', async () => {
    const { world, record } = await backedUp();
    await expect(world.step(startStateRestore, { ...record, backupName: 'cb-not-yet' })).rejects.toMatchObject({
      name: 'ServiceUnavailable',
      retryable: true,
    });
    const creating = { ...world.ports, stateBackups: { ...world.ports.stateBackups, describeRestored: async () => 'creating' as const } };
    const begun = StateVerificationRecord.parse(await world.step(startStateRestore, record));
    world.clock.advance(4 * 3600);
    expect(await world.step(awaitStateRestore, begun, { ports: creating })).toMatchObject({ restoreStatus: 'creating' });
    world.clock.advance(1);
    await expect(world.step(awaitStateRestore, begun, { ports: creating })).rejects.toMatchObject({
      name: 'RestoreTimedOut',
      retryable: false,
    });
  });

  /** A store that compares one item in eight minutes, so that a run has time for two. */
  function slowly(world: MemoryWorld) {
    const { operations, clock, ports, store } = world;
    const paged = memoryStateBackups({ deployment: operations, region: operations.regions.primary, clock, store, itemsAtATime: 1 });
    const from: (string | undefined)[] = [];
    const stateBackups = {
      ...ports.stateBackups,
      compare: async (...stretch: Parameters<typeof paged.compare>) => {
        from.push(stretch[3]);
        clock.advance(8 * 60);
        return paged.compare(...stretch);
      },
    };
    return { from, ports: { ...ports, stateBackups } };
  }

  it('of a large table takes several runs of the machine as it is deployed, and reads no item twice', async () => {
    for (const damaged of [false, true]) {
      const { world, record } = await backedUp();
      const { from, ports } = slowly(world);
      for (let day = 2; day < 7; day++) await storePoint(world, new Date(now.getTime() - day * 86_400_000));
      const steps = [startStateRestore, awaitStateRestore, compareState, removeStateRestore, recordStateVerdict];
      const large = { ...record, backupName: 'cb-large', until: timestamp(world.clock.now()) };
      await ports.stateBackups.backup('state', 'cb-large');
      const run = await runMachine(
        deployedMachine('verify-state-backup'),
        {
          clock: world.clock,
          step: (name, input) => {
            const step = steps.find((each) => each.name === name);
            if (!step) throw new TypeError(`the machine has no step ${name}`);
            if (step === compareState && damaged && from.length === 0)
              world.ports.stateBackups.alterRestored(record.into, (contents) => contents.slice(0, -1));
            return world.step(step, input, { ports });
          },
        },
        large,
      );
      expect(run).toMatchObject({ succeeded: !damaged, record: { compared: 8, verdict: damaged ? 'refused' : 'verified' } });
      expect(new Set(from).size).toBe(from.length);
      expect(run.states.filter((state) => state === 'Compare with the live table')).toHaveLength(4);
      expect(world.ports.metrics.latest('StateItemsLost', { Table: 'state' })).toBe(damaged ? 1 : 0);
      expect(await world.ports.stateBackups.listRestored()).toEqual([]);
    }
  });

  it('gives a comparison six hours beside the restore, and proves nothing by a part of it', async () => {
    const { world, record } = await backedUp();
    const { ports } = slowly(world);
    const run = async (given: StateVerificationRecord) => StateVerificationRecord.parse(await world.step(compareState, given, { ports }));
    for (let day = 2; day < 7; day++) await storePoint(world, new Date(now.getTime() - day * 86_400_000));
    const until = timestamp(world.clock.now());
    const begun = StateVerificationRecord.parse(await world.step(startStateRestore, { ...record, until }));
    const part = await run(begun);
    expect(part).toMatchObject({ comparison: { compared: 2 }, checks: [] });
    expect((await stepIn(world)(recordStateVerdict, { ...part, removal: 'removed' })).verdict).toBe('refused');
    world.clock.advance(10 * 3600);
    await expect(run(part)).rejects.toMatchObject({ name: 'ComparisonTimedOut', retryable: false });
  });

  it('compares the audit log like any other table', async () => {
    const { world } = await backedUp();
    world.clock.advance(86_400);
    await world.run(backupStateTables);
    const { compared, verdict } = await verify(world, startedFor(world, 'audit'));
    expect(verdict).toBe('verified');
    expect(compared).toBeGreaterThan(0);
  });
});
