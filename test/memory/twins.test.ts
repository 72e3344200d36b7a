import { describe, expect, it } from 'vitest';
import { Locked, NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, RecoveryPointId, Region, timestamp } from '../../functions/common/ids.ts';
import { Epoch } from '../../functions/failover/models.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryExecutions } from '../../functions/memory/executions.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { sqlServersFrom } from '../../functions/memory/sql-servers.ts';
import { memoryTaskInvoker } from '../../functions/memory/task-invoker.ts';
import { itemStoreContract } from '../contracts/item-store.contract.ts';
import { testOperations } from '../support/operations.ts';

const databaseId = DatabaseId.parse('hms');
const region = Region.parse('us-east-1');
const snapshotId = 'cb-hms-daily-20261121t070000z';
const fresh = (overrides: Partial<Parameters<typeof testOperations>[0]> = {}) => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  return { clock, ...memoryPorts({ operations: testOperations(overrides), clock }) };
};

itemStoreContract(async () => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  return { clock, store: memoryItemStore(clock) };
});

describe('the modelled control plane', () => {
  it('takes its time: captured after 20 s, available after 5 min', async () => {
    const { databases, clock } = fresh();
    await databases.createSnapshot({ region, snapshotId, databaseId, kind: 'daily' });
    const now = async () => {
      const snapshot = await databases.describeSnapshot({ region, snapshotId });
      return [snapshot?.captured, snapshot?.status];
    };
    expect(await now()).toEqual([false, 'creating']);
    clock.advance(20);
    expect(await now()).toEqual([true, 'creating']);
    clock.advance(280);
    expect(await now()).toEqual([true, 'available']);
  });

  it('fails once for each failure that was asked for, before doing anything', async () => {
    const { databases } = fresh();
    databases.failNext('createSnapshot', new ServiceUnavailable('throttled'));
    await expect(databases.createSnapshot({ region, snapshotId, databaseId, kind: 'daily' })).rejects.toThrow(ServiceUnavailable);
    expect(await databases.listSnapshots(region)).toEqual([]);
    await databases.createSnapshot({ region, snapshotId, databaseId, kind: 'daily' });
    expect(await databases.listSnapshots(region)).toHaveLength(1);
  });

  it('removes nothing that is locked until it no longer is', async () => {
    const { databases, clock } = fresh();
    databases.setSnapshot({ region, snapshotId }, { databaseId, lockedUntil: timestampIn(clock, 60) });
    await expect(databases.removeSnapshot({ region, snapshotId })).rejects.toThrow(Locked);
    clock.advance(61);
    await databases.removeSnapshot({ region, snapshotId });
    expect(await databases.listSnapshots(region)).toEqual([]);
  });

  it('restores to no moment outside the window of the log', async () => {
    const { databases, clock } = fresh();
    const request = { region, restoredId: 'cbv-hms-1', databaseId, expiresAt: new Date('2026-11-21T12:00:00Z') };
    await expect(databases.restoreToTime(clock.now(), request)).rejects.toThrow(/window/);
    expect(await databases.listRestored(region)).toEqual([]);
  });

  it('a removed database is deleting for two minutes and then gone', async () => {
    const { databases, clock } = fresh();
    databases.setRestored({ region, restoredId: 'cbv-hms-1' }, { databaseId });
    await databases.removeRestored({ region, restoredId: 'cbv-hms-1' });
    expect((await databases.describeRestored({ region, restoredId: 'cbv-hms-1' }))?.status).toBe('deleting');
    clock.advance(120);
    expect(await databases.describeRestored({ region, restoredId: 'cbv-hms-1' })).toBeUndefined();
  });
});

describe('snapshot integrity in memory', () => {
  it('tells what is wrong with a snapshot', async () => {
    const { databases, snapshotIntegrity } = fresh();
    const ref = { region, snapshotId };
    expect(await snapshotIntegrity.check(ref)).toHaveLength(1);
    databases.setSnapshot(ref, { databaseId });
    expect(await snapshotIntegrity.check(ref)).toEqual([]);
    databases.setSnapshot(ref, { databaseId, encrypted: false, sizeBytes: 0, failed: true });
    snapshotIntegrity.damage(ref, 'block 7 does not match its checksum');
    expect(await snapshotIntegrity.check(ref)).toEqual([
      'its status is failed, not available',
      'it is not encrypted',
      'its size is 0 bytes',
      'block 7 does not match its checksum',
    ]);
  });
});

describe('executions in memory', () => {
  const request = { region, machine: 'verify-recovery-point', name: 'one', input: {} } as const;
  it('run once under one name and end as their runner does', async () => {
    const store = memoryItemStore(manualClock('2026-11-21T07:00:00Z'));
    const gate = Promise.withResolvers<void>();
    const executions = memoryExecutions(store, async ({ name }) => {
      await gate.promise;
      if (name === 'bad') throw new Error('failed');
    });
    await executions.start(request);
    await executions.start(request);
    await executions.start({ ...request, name: 'bad' });
    expect(await executions.describe(request)).toEqual({ status: 'running' });
    gate.resolve();
    await executions.settled();
    expect(await executions.describe(request)).toEqual({ status: 'succeeded' });
    expect(await executions.describe({ ...request, name: 'bad' })).toEqual({ status: 'failed' });
    expect(await executions.describe({ ...request, name: 'never' })).toBeUndefined();
    expect(executions.started.map(({ name }) => name)).toEqual(['one', 'bad']);
  });
});

describe('an exchange in memory', () => {
  const copy = { databaseId, region, restoredId: 'cbv-hms-20261121t070000z-recovery' };
  const standby = Region.parse('us-west-2');
  const called = async (clock: ReturnType<typeof manualClock>, times: number, call: () => Promise<unknown>) => {
    for (let count = 0; count < times; count++) {
      await call();
      clock.advance(3600);
    }
  };

  it('leaves under the live name what the copy showed, and the replica with the server that was damaged', async () => {
    const { replicas, databases, fences, clock } = fresh();
    const live = fences.server(databaseId, region);
    live.write();
    const { position } = live.facts();
    const clean = clock.now();
    clock.advance(600);
    live.write();
    clock.advance(600);
    await databases.restoreToTime(clean, { ...copy, expiresAt: clock.now() });
    clock.advance(3600);
    await called(clock, 3, () => replicas.prepareSwap(copy));
    await replicas.swapIn({ ...copy, epoch: Epoch.parse(8) });
    await expect(fences.open(databaseId, region)).rejects.toThrow(ServiceUnavailable); // nobody has the name
    await called(clock, 3, () => replicas.swapIn({ ...copy, epoch: Epoch.parse(8) }));
    expect(live.facts().position).toEqual(position);
    live.write();
    expect(live.facts().position.transactions).toBe(position.transactions + 1);
    const replica = fences.server(databaseId, standby).facts();
    expect(replica).toMatchObject({ role: 'replica', streaming: false, position: { transactions: position.transactions + 1 } });
    expect(replica.follows).toBeUndefined();
  });
});

describe('the other twins', () => {
  it('an invoked task is recorded and run, and its error reaches the caller', async () => {
    const invoker = memoryTaskInvoker(async () => {
      throw new NotFound('no such task');
    });
    const invocation = { task: 'backup-database', key: 'hms/daily', input: {}, scheduledAt: new Date('2026-11-21T07:00:00Z') };
    await expect(invoker.invoke(invocation)).rejects.toThrow(NotFound);
    expect(invoker.invoked).toEqual([invocation]);
  });

  it.each([
    ['simulate', undefined],
    ['compliance', new Date('2026-12-21T07:00:00Z')],
  ] as const)('a vault in mode %s locks its copies until then', async (mode, lockedUntil) => {
    const { vault, clock } = fresh({ vaultLock: { ...testOperations().vaultLock, mode } });
    const request = { region, databaseId, recoveryPointId: RecoveryPointId.parse(snapshotId) };
    expect(await vault.lock(request)).toBe(await vault.lock(request));
    expect(await vault.list(region, databaseId)).toMatchObject([{ status: 'creating' }]);
    clock.advance(600);
    const [copy, ...others] = await vault.list(region, databaseId);
    expect(others).toEqual([]);
    expect(copy?.status).toBe('available');
    expect(copy?.lockedUntil).toEqual(lockedUntil);
    expect(await vault.list(region, DatabaseId.parse('billing'))).toEqual([]);
  });

  it('a metric is found again by its name and dimensions', async () => {
    const { metrics } = fresh();
    const metric = { capability: 'backup', name: 'Age', unit: 'Seconds' } as const;
    await metrics.put({ ...metric, value: 1, dimensions: { Database: 'hms' } });
    await metrics.put({ ...metric, value: 2, dimensions: { Database: 'billing' } });
    expect([metrics.latest('Age', { Database: 'hms' }), metrics.latest('Age'), metrics.latest('Other')]).toEqual([1, 2, undefined]);
  });

  it('a port that is given takes the place of its twin', async () => {
    const clock = manualClock('2026-11-21T07:00:00Z');
    const server = { connect: async () => Promise.reject(new ServiceUnavailable('down')) };
    const ports = memoryPorts({ operations: testOperations(), clock, sqlServers: sqlServersFrom({ live: () => server }) });
    expect(await ports.sqlServers.live(databaseId, region)).toBe(server);
    await expect(ports.sqlServers.restored({ databaseId, region, restoredId: 'x' })).rejects.toThrow(NotFound);
  });
});

const timestampIn = (clock: { now(): Date }, secondsFromNow: number) => timestamp(new Date(clock.now().getTime() + secondsFromNow * 1000));
