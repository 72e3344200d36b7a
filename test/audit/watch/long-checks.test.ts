import { beforeEach, describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import { eventIdOf } from '../../support/audit-events.ts';
import { copyOf, freshState, plain, primary, standby, type WatchedWorld, watchedWorld } from './watched-world.ts';

/** Every page and bundle takes so long. */
const slow =
  (seconds: number, clock: { advance(seconds: number): void }) =>
  (ports: Ports): Ports => ({
    ...ports,
    auditEvents: {
      ...ports.auditEvents,
      async query(filter, page) {
        clock.advance(seconds);
        return ports.auditEvents.query(filter, page);
      },
    },
  });

describe('a full verification', () => {
  let world: WatchedWorld;
  beforeEach(async () => {
    world = watchedWorld(freshState());
    await world.record(0, 1300);
    await world.sequence();
    world.clock.advance(600);
  });

  it('goes on in the next run where the time of the last one ended, and begins anew when it is finished', async () => {
    const slowly = watchedWorld(world.state(), { change: slow(500, world.clock) });
    const first = await slowly.verify();
    expect(first).toMatchObject({ did: 'paused', state: { phase: 'events', entries: 1300, events: 999 } }); // and its own act, which waits
    expect(await slowly.verify(primary, false)).toMatchObject({ did: 'finished', state: { entries: 1300, events: 1300 } });
    expect(await slowly.verify(primary, false)).toEqual({ did: 'nothing' });
    await world.sequence();
    expect(await world.verify(primary, true)).toMatchObject({ did: 'finished', state: { found: 0, entries: 1302 } });
  });

  it('is in one hand at a time, and is taken over from a run that died', async () => {
    const dying = watchedWorld(world.state(), {
      change: (ports) => ({ ...ports, auditEvents: { ...ports.auditEvents, query: () => Promise.reject(new ServiceUnavailable('died')) } }),
    });
    await expect(dying.verify()).rejects.toThrow('died');
    expect(await world.verify(primary, false)).toEqual({ did: 'nothing' });
    world.clock.advance(1000);
    expect(await world.verify(primary, false)).toMatchObject({ did: 'finished', state: { entries: 1300, events: 1300 } });
  });

  it('tells in one act what it verified: sizes, roots, counts', async () => {
    await world.verify();
    const acts = (await world.portsIn(primary).auditLog.recent(new Date(0), 100)).filter(({ action }) => action === 'verify-audit-log');
    expect(acts.map(({ phase, outcome }) => ({ phase, outcome }))).toEqual([
      { phase: 'outcome', outcome: 'success' },
      { phase: 'intent', outcome: 'pending' },
    ]);
    expect(acts[0]?.details).toMatchObject({
      entries: 1300,
      events: 1300,
      found: 0,
      'log-1': expect.stringMatching(/^1300 [A-Za-z0-9+/=]{44}$/),
    });
  });

  it('tells every place that is damaged, not the first alone', async () => {
    for (const bundle of ['000', '002']) {
      const key = `${primary} 1/tile/entries/${bundle}`;
      const [version] = world.versions.get(key) ?? [];
      const bytes = Buffer.from(version?.bytes ?? []);
      bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
      world.versions.set(key, [{ bytes, lockedUntil: 0 }]);
    }
    const result = await world.verify();
    expect(result).toMatchObject({ findings: [{ code: 'AuditLogRewritten' }, { code: 'AuditLogRewritten' }] });
    const subjects = result.did === 'finished' ? result.findings.map(({ subject }) => subject) : [];
    expect(subjects.sort()).toEqual(['tile/entries/000', 'tile/entries/002']);
  });
});

describe('the restore test of the audit log', () => {
  let world: WatchedWorld;
  beforeEach(async () => {
    world = watchedWorld(freshState());
    await world.record(0, 700);
    await world.record(1000, 30, standby);
    await world.sequence();
    await world.sequence(standby);
    world.rotate();
    await world.record(700, 300);
    await world.sequence();
    world.clock.advance(900);
    await world.portsIn(primary).stateBackups.backup('audit', 'cb-yesterday');
    await world.record(2000, 50);
    await world.sequence();
  });

  it('rebuilds the trees of all logs from the restored events, and removes the restored table', async () => {
    const result = await world.restoreTest();
    expect(result).toMatchObject({ did: 'finished', findings: [], state: { entries: 1031, found: 0 } });
    const rebuilt = result.did === 'finished' ? result.state.rebuilt : [];
    expect(rebuilt.map((line) => line.split(' ').slice(0, 2).join(' ')).sort()).toEqual(
      [`${primary}/1: 700`, `${primary}/2: 301`, `${standby}/1: 30`].sort(),
    );
    expect(await world.portsIn(primary).stateBackups.listRestored()).toEqual([]);
  });

  it.each([
    ['is missing', (_: object) => undefined],
    ['has another leaf', (event: object) => ({ ...event, leaf: '{}' })],
  ])('fails when an event of the backup %s, and removes the restored table', async (_, change) => {
    const state = copyOf(world.state());
    const key = `${primary} ${eventIdOf(500)}`;
    const event = plain(state.store.get('audit-recorded', key)?.value);
    const damaged = change(Object(event));
    if (damaged) state.store.put('audit-recorded', key, plain(damaged));
    else state.store.delete('audit-recorded', key);
    const other = watchedWorld(state);
    await other.portsIn(primary).stateBackups.backup('audit', 'cb-damaged');
    state.clock.advance(600);
    const result = await other.restoreTest();
    expect(result).toMatchObject({ did: 'finished', findings: [{ code: 'AuditRestoreFailed', region: primary, subject: eventIdOf(500) }] });
    expect(await other.portsIn(primary).stateBackups.listRestored()).toEqual([]);
  });

  it('removes the restored table when it cannot be read, and says so', async () => {
    const broken = watchedWorld(world.state(), {
      change: (ports) => ({
        ...ports,
        stateBackups: { ...ports.stateBackups, restoredEvents: () => Promise.reject(new TypeError('unreadable')) },
      }),
    });
    expect(await broken.restoreTest()).toMatchObject({ did: 'finished', findings: [{ code: 'AuditRestoreFailed', says: 'unreadable' }] });
    expect(await world.portsIn(primary).stateBackups.listRestored()).toEqual([]);
  });

  it('goes on in the next run while the table is still being restored, and gives up in time', async () => {
    const never = watchedWorld(world.state(), {
      change: (ports) => ({
        ...ports,
        stateBackups: {
          ...ports.stateBackups,
          describeRestored: async (into) => ((await ports.stateBackups.describeRestored(into)) === 'available' ? 'creating' : 'absent'),
        },
      }),
    });
    expect(await never.restoreTest()).toMatchObject({ did: 'paused', state: { phase: 'restoring' } });
    expect(await never.restoreTest(false)).toMatchObject({ did: 'paused', state: { phase: 'restoring' } });
    world.clock.advance(5 * 3600);
    expect(await never.restoreTest(false)).toMatchObject({ did: 'finished', findings: [{ code: 'AuditRestoreFailed' }] });
    expect(await world.portsIn(primary).stateBackups.listRestored()).toEqual([]);
  });
});
