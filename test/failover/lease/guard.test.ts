import { beforeEach, describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { claim, rollBack } from '../../../functions/failover/leadership/claim.ts';
import { guardLease } from '../../../functions/failover/lease/guard.ts';
import type { CoordinationRecord, FailoverPlan } from '../../../functions/failover/models.ts';
import { at, databaseIds, epoch, led, planned, policy, primary, secondsLater, standby } from '../support.ts';
import { type FailoverWorld, failoverWorld, hanging } from '../world.ts';

const [hms, billing] = databaseIds;
if (hms === undefined || billing === undefined) throw new Error('the fixture has two databases');
const { length, margin } = policy.lease;

let world: FailoverWorld;
beforeEach(() => {
  world = failoverWorld();
});
const server = (region = primary, databaseId = hms) => world.ports.fences.server(databaseId, region);
const record = async (): Promise<CoordinationRecord> => {
  const found = await world.ports.coordination.read();
  if (found === undefined) throw new Error('there is no record');
  return found;
};
const metric = (name: string, region = primary) => world.ports.metrics.latest(name, { Region: region });
const acts = async () =>
  (await world.ports.auditLog.recent(secondsLater(-1), 100))
    .filter(({ phase }) => phase === 'outcome')
    .map(({ action, resource, outcome }) => `${action} ${resource} ${outcome}`)
    .sort();

/** Somebody claims the next epoch for the standby Region. */
async function claimed(overrides: Partial<FailoverPlan> = {}): Promise<CoordinationRecord> {
  const current = await record();
  const plan = planned({ epoch: epoch(current.epoch + 1), ...overrides });
  const next = claim(current, plan);
  if (next.kind !== 'write') throw new Error('nothing was claimed');
  return world.ports.coordination.replace(next.record);
}

describe('a guardian', () => {
  it('writes the first record and gives every database its lease', async () => {
    world.begin(guardLease, primary);
    await world.until(1);
    expect(await record()).toEqual({
      ...{ epoch: 1, holder: primary, phase: 'active', version: 0, fenced: false },
      ...{ leaseUntil: at(length), changedAt: at(0), renewedBy: { region: primary, run: at(0) } },
    });
    for (const databaseId of databaseIds) {
      expect(server(primary, databaseId).facts().lease).toEqual({
        epoch: 1,
        holder: primary,
        untilMicros: secondsLater(20).getTime() * 1000,
      });
    }
    expect(await acts()).toEqual([`begin-leadership ${primary}/epoch-1 success`]);
  });

  it('calls a database fenced only when it has had a lease: until then it is open for good, lost or not', async () => {
    world.begin(guardLease, primary);
    await world.until(1);
    expect((await record()).fenced).toBe(false);
    await world.until(5);
    expect((await record()).fenced).toBe(true);
  });

  it('renews every few seconds, for as long as it runs: longer than until the next run has surely begun', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    const run = world.begin(guardLease, primary);
    for (let seconds = 0; seconds < 125; seconds += 5) {
      await world.until(seconds);
      expect(server().write()).toBe(true);
      const { lease } = server().facts();
      expect(lease.untilMicros - world.clock.now().getTime() * 1000).toBeGreaterThan((length - policy.lease.renewEvery) * 1_000_000 - 1);
    }
    await world.until(140);
    expect(run).toMatchObject({ ended: true, result: { ticks: 44, renewals: 44 } });
    expect((await record()).version).toBe(44);
    expect(metric('Guarded')).toBe(1);
  });

  it('runs in either Region alone: the database stays open while one of the two lives', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    world.begin(guardLease, standby);
    await world.until(60);
    expect(server().write()).toBe(true);
    expect((await record()).renewedBy).toEqual({ region: standby, run: at(0) });
  });

  it('shares the work: two of them hold the lease together', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    world.begin(guardLease, primary);
    world.begin(guardLease, standby);
    await world.until(10);
    expect([metric('Guarded', primary), metric('Guarded', standby)]).toEqual([1, 1]);
  });

  it('stops when a later run of its Region renews', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    const first = world.begin(guardLease, primary);
    await world.until(61);
    const second = world.begin(guardLease, primary);
    await world.until(70);
    expect(first.ended).toBe(true);
    expect(second.ended).toBe(false);
  });

  it('lets the database close by itself once nobody renews', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    world.begin(guardLease, primary);
    await world.until(10);
    world.ports.coordination.setAvailable(false);
    await world.until(9 + length - 0.1);
    expect(server().write()).toBe(true);
    await world.until(9 + length);
    expect(server().write()).toBe(false);
    expect(metric('Guarded')).toBe(0);
    expect(metric('CoordinationUnreadable')).toBe(1);
  });

  it('reads the database’s clock before it renews the record, so that a lease never outlives its renewal', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    // The table takes 1.5 s for each write: a lease that counted from afterwards would end 1.5 s too late.
    const slow = new Proxy(world.ports.coordination, {
      get(target, key) {
        if (key !== 'replace') return Reflect.get(target, key);
        return async (given: CoordinationRecord) => {
          const stored = await target.replace(given);
          await world.clock.sleep(1500);
          return stored;
        };
      },
    });
    server().set({ clockOffsetMicros: 7_200_000_000 });
    world.begin(guardLease, primary, { ...world.ports, coordination: slow });
    await world.until(2);
    expect(server().facts().lease.untilMicros).toBe(secondsLater(length).getTime() * 1000 + 7_200_000_000);
  });

  it('gives no lease when the table did not say whether it took the renewal', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    const before = server().facts().lease;
    world.begin(guardLease, primary, { ...world.ports, coordination: hanging(world.ports.coordination, 'replace') });
    await world.until(30);
    expect(server().facts().lease).toEqual(before);
    expect(metric('Guarded')).toBe(0);
  });

  it('renews after a conflict from what is so now', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    let others = 0;
    const contested = new Proxy(world.ports.coordination, {
      get(target, key) {
        if (key !== 'replace') return Reflect.get(target, key);
        return async (given: CoordinationRecord) => {
          if (others++ === 0) await target.replace({ ...given, renewedBy: { region: standby, run: at(0) } });
          return target.replace(given);
        };
      },
    });
    world.begin(guardLease, primary, { ...world.ports, coordination: contested });
    await world.until(1);
    expect(await record()).toMatchObject({ version: 2, renewedBy: { region: primary } });
    expect(server().facts().lease.epoch).toBe(7);
  });
});

describe('a database that does not answer', () => {
  beforeEach(() => world.ports.coordination.create(led({ version: 0 })));

  it('gets no lease, and takes none from the others', async () => {
    world.begin(guardLease, primary);
    await world.until(4);
    server(primary, billing).set({ reachable: false });
    await world.until(60);
    expect(server(primary, hms).write()).toBe(true);
    expect(metric('Guarded')).toBe(0);
    server(primary, billing).set({ reachable: true });
    expect(server(primary, billing).write()).toBe(false);
    await world.secondsPass(4);
    expect(server(primary, billing).write()).toBe(true);
    expect(metric('Guarded')).toBe(1);
  });

  it('leaves the record alone when it is the last one, so that its age shows', async () => {
    world.begin(guardLease, standby);
    await world.until(4);
    for (const databaseId of databaseIds) server(primary, databaseId).set({ reachable: false });
    const { version } = await record();
    await world.until(60);
    expect((await record()).version).toBe(version);
  });

  it('or is a replica, while the record says that it leads, is no reason to renew', async () => {
    for (const databaseId of databaseIds) server(primary, databaseId).set({ role: 'replica' });
    world.begin(guardLease, primary);
    await world.until(30);
    expect((await record()).version).toBe(0);
    expect(metric('Guarded')).toBe(0);
  });

  it('and hangs, delays a tick by the probe’s limit and no more', async () => {
    const fences = {
      ...world.ports.fences,
      open: (...args: Parameters<typeof world.ports.fences.open>) =>
        args[0] === billing ? new Promise<never>(() => {}) : world.ports.fences.open(...args),
    };
    world.begin(guardLease, primary, { ...world.ports, fences });
    await world.until(60);
    expect(server(primary, hms).write()).toBe(true);
  });

  it('keeps the first record from being written, as does a replica', async () => {
    const other = failoverWorld();
    other.ports.fences.server(billing, primary).set({ role: 'replica' });
    other.begin(guardLease, primary);
    await other.until(30);
    expect(await other.ports.coordination.read()).toBeUndefined();
    other.ports.fences.server(billing, primary).set({ role: 'primary', reachable: false });
    await other.until(60);
    expect(await other.ports.coordination.read()).toBeUndefined();
  });

  it('is not begun with from the standby Region', async () => {
    const other = failoverWorld();
    other.begin(guardLease, standby);
    await other.until(30);
    expect(await other.ports.coordination.read()).toBeUndefined();
  });
});

describe('what is fenced', () => {
  beforeEach(() => world.ports.coordination.create(led({ version: 0 })));

  it('is written into the record within seconds: one table without a fence, and nothing moves without a human', async () => {
    world.begin(guardLease, primary);
    await world.until(4);
    expect((await record()).fenced).toBe(true);
    server(primary, billing).set({ unfenced: ['billing.public.invoices'] });
    await world.until(24);
    expect((await record()).fenced).toBe(false);
    expect(metric('UnfencedTables')).toBe(1);
    server(primary, billing).set({ unfenced: [] });
    await world.until(28);
    expect((await record()).fenced).toBe(true);
  });

  it('is nothing where the fence is not installed, and the record is renewed all the same', async () => {
    server(primary, billing).set({ installed: false });
    world.begin(guardLease, primary);
    await world.until(4);
    expect(await record()).toMatchObject({ fenced: false, version: 2 });
  });
});

describe('when the epoch is claimed', () => {
  beforeEach(async () => {
    await world.ports.coordination.create(led({ version: 0 }));
  });

  it('the guardian of that Region closes its databases within a tick, and says so with where they ended', async () => {
    world.begin(guardLease, primary);
    await world.until(10);
    await claimed();
    await world.until(13);
    expect(server().write()).toBe(false);
    expect(await world.ports.coordination.receipt(primary, epoch(8))).toEqual({
      ...{ region: primary, epoch: 8, at: at(12) },
      databases: databaseIds.map((databaseId) => ({ databaseId, position: server(primary, databaseId).facts().position })),
    });
    expect(world.ports.networkFence.isIsolated(hms, primary)).toBe(true);
    expect(await acts()).toEqual([
      `close-databases ${primary}/epoch-8 success`,
      ...databaseIds.map((id) => `isolate-network ${primary}/${id} success`).sort(),
    ]);
  });

  it('to replace a database, that one is closed as replaced and takes no lease of the epoch; beyond the point of no return nothing is closed', async () => {
    const replacement = { databaseId: hms, restoredId: 'cbv-hms', restoredTo: at(-600), verdict: 'sound' };
    world.begin(guardLease, primary);
    await world.until(10);
    await claimed({ kind: 'replace', from: primary, to: primary, replacement });
    await world.until(13);
    expect(server(primary, hms).facts().lease).toMatchObject({ closedFor: 8, replacedIn: 8 });
    for (const databaseId of databaseIds.filter((id) => id !== hms)) {
      expect(server(primary, databaseId).facts().lease).not.toMatchObject({ replacedIn: 8 });
    }
    await world.ports.coordination.replace({ ...(await record()), phase: 'promoting' });
    // What stands under the name now is the copy, and it has never been closed.
    server(primary, hms).set({ lease: { epoch: epoch(7), untilMicros: 0 } });
    world.begin(guardLease, primary);
    await world.until(40);
    expect(server(primary, hms).facts().lease).toEqual({ epoch: 7, untilMicros: 0 });
  });

  it('a connection to a database that takes no lease is given up: its name may lead to another by now', async () => {
    const { open } = world.ports.fences;
    let opened = 0;
    world.ports.fences.open = (...place) => {
      if (place[0] === hms) opened++;
      return open(...place);
    };
    server(primary, hms).set({
      lease: { epoch: epoch(7), untilMicros: 0, closedFor: epoch(7), replacedIn: epoch(7), replacedAt: primary },
    });
    await world.ports.coordination.replace({ ...(await record()), primarySince: epoch(7) });
    world.begin(guardLease, primary);
    await world.until(8);
    expect(opened).toBeGreaterThan(1);
    // The copy is reached under the name.
    server(primary, hms).set({ lease: { epoch: epoch(6), untilMicros: 0 } });
    await world.until(14);
    expect(server(primary, hms).write()).toBe(true);
  });

  it('nobody renews, and the guardian of the other Region closes nothing', async () => {
    world.begin(guardLease, standby);
    await world.until(10);
    const { version } = await claimed();
    await world.until(27);
    expect((await record()).version).toBe(version);
    expect(server().write()).toBe(true);
    await world.until(10 + length + margin);
    expect(server().write()).toBe(false);
    expect(await world.ports.coordination.receipt(primary, epoch(8))).toBeUndefined();
  });

  it('there is no receipt while one database does not answer; it comes when that one does', async () => {
    world.begin(guardLease, primary);
    await world.until(10);
    server(primary, billing).set({ reachable: false });
    await claimed();
    await world.until(30);
    expect(await world.ports.coordination.receipt(primary, epoch(8))).toBeUndefined();
    server(primary, billing).set({ reachable: true });
    await world.until(80);
    expect(await world.ports.coordination.receipt(primary, epoch(8))).toMatchObject({ epoch: 8 });
    // Ever longer pauses: at 12, 18, 30 and 54 s, not every three seconds.
    expect((await acts()).filter((act) => act.startsWith('close-databases'))).toHaveLength(4);
  });

  it('the act of closing ends when all its closings have, however soon one of them failed', async () => {
    await claimed();
    const { fences } = world.ports;
    const open: typeof fences.open = async (databaseId, region) => {
      if (databaseId === billing) throw new ServiceUnavailable('refused');
      await world.clock.sleep(3_000);
      return fences.open(databaseId, region);
    };
    world.begin(guardLease, primary, { ...world.ports, fences: { ...fences, open } });
    const began = world.clock.now().getTime();
    await world.secondsPass(4);
    const events = await world.ports.auditLog.recent(secondsLater(-1), 100);
    const ended = events.find(({ action, phase }) => action === 'close-databases' && phase === 'outcome');
    expect(ended?.outcome).toBe('failure');
    expect(Date.parse(ended?.at ?? '') - began).toBeGreaterThanOrEqual(3_000);
    expect(server().facts().lease.closedFor).toBe(8);
  });

  it('the network fence may fail: the receipt stands', async () => {
    world.ports.networkFence.failNext('isolate', new ServiceUnavailable('no route to EC2'));
    world.begin(guardLease, primary);
    await world.until(10);
    await claimed();
    await world.until(20);
    expect(await world.ports.coordination.receipt(primary, epoch(8))).toBeDefined();
    expect(world.ports.networkFence.isIsolated(billing, primary)).toBe(true);
  });

  /** Claimed at 10 s, and given back at 20 s. */
  async function rolledBack(): Promise<void> {
    world.begin(guardLease, primary);
    await world.until(10);
    const taken = await claimed();
    await world.until(20);
    const plan = taken.plan;
    if (plan === undefined) throw new Error('a claim has a plan');
    const back = rollBack(await record(), plan, world.clock.now());
    if (back.kind !== 'write') throw new Error('it was not rolled back');
    await world.ports.coordination.replace(back.record);
  }

  it('and rolled back, the databases and their network open again, although aborting it left a hold', async () => {
    await world.ports.coordination.putHold({ until: at(3600), by: 'alice', reason: 'false alarm', at: at(0) });
    await rolledBack();
    await world.until(30);
    expect(server().write()).toBe(true);
    expect(server().facts().lease).toMatchObject({ epoch: 9, holder: primary });
    expect(world.ports.networkFence.isIsolated(hms, primary)).toBe(false);
  });

  it('and rolled back while a breach is contained, the network stays shut in every run, until a person ends it', async () => {
    await world.ports.coordination.putContainment({ breachId: 'breach-20261121t120000z', by: 'alice', since: at(0) });
    await rolledBack();
    world.begin(guardLease, primary);
    await world.until(60);
    expect(server().write()).toBe(true);
    expect(world.ports.networkFence.isIsolated(hms, primary)).toBe(true);
    await world.ports.coordination.putContainment(undefined);
    world.begin(guardLease, primary);
    await world.until(70);
    expect(world.ports.networkFence.isIsolated(hms, primary)).toBe(false);
  });

  it('and rolled back, nothing is opened while nobody can tell whether a breach is contained; then it is', async () => {
    world.ports.coordination.failNext('containment', new ServiceUnavailable('the table does not answer'));
    await rolledBack();
    await world.until(21);
    expect(world.ports.networkFence.isIsolated(hms, primary)).toBe(true);
    await world.until(30);
    expect(server().write()).toBe(true);
    expect(world.ports.networkFence.isIsolated(hms, primary)).toBe(false);
  });
});

describe('an old primary that comes back', () => {
  it('is closed for the present epoch, so that no clock opens it again', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    world.begin(guardLease, primary);
    await world.until(1);
    // Lost and promoted away from, with a lease of epoch 7 that its clock has not seen the end of.
    const there = failoverWorld();
    await there.ports.coordination.create(led({ epoch: epoch(8), holder: standby, version: 0 }));
    for (const databaseId of databaseIds) {
      there.ports.fences.server(databaseId, standby).set({ role: 'primary' });
      there.ports.fences
        .server(databaseId, primary)
        .set({ lease: server(primary, databaseId).facts().lease, clockOffsetMicros: -60_000_000 });
    }
    expect(there.ports.fences.server(hms, primary).write()).toBe(true);
    there.begin(guardLease, primary);
    await there.until(1);
    expect(there.ports.fences.server(hms, primary).write()).toBe(false);
    expect(there.ports.fences.server(hms, primary).facts().lease).toMatchObject({ closedFor: 8 });
    expect(there.ports.fences.server(hms, standby).write()).toBe(true);
  });

  it('is left alone where it is a replica by now', async () => {
    await world.ports.coordination.create(led({ version: 0 }));
    world.begin(guardLease, standby);
    await world.until(4);
    expect(server(standby).facts().lease.closedFor).toBeUndefined();
    expect(await acts()).toEqual([]);
  });
});
