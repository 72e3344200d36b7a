import { beforeEach, describe, expect, it } from 'vitest';
import { eraseEvents } from '../../../functions/audit/erase/erase-events.ts';
import { lookAtLogs } from '../../../functions/audit/watch/look-at-logs.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import { anActOf, eventIdOf } from '../../support/audit-events.ts';
import { freshState, plain, primary, standby, tertiary, type WatchedWorld, watchedWorld } from './watched-world.ts';

/** The ports of a Region from which the primary one cannot be reached. */
const withoutPrimary = (ports: Ports): Ports => ({
  ...ports,
  auditObjects: {
    ...ports.auditObjects,
    async get(region, path) {
      if (region === primary) throw new ServiceUnavailable('no answer');
      return ports.auditObjects.get(region, path);
    },
  },
});

const erasure = { by: 'cli/alice', reason: 'asked for', basis: 'GDPR Art. 17(1)(b)' } as const;

const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);

describe('the look at the audit logs', () => {
  let world: WatchedWorld;
  beforeEach(async () => {
    world = watchedWorld(freshState());
    await world.record(0, 300);
    await world.sequence();
  });

  it('reads what is new once, and remembers it for all Regions', async () => {
    expect((await world.check()).entries).toBe(300);
    expect((await world.check(standby)).entries).toBe(0);
    await world.record(300, 20);
    await world.sequence();
    expect((await world.check(standby)).entries).toBe(20);
    const last = await world.portsIn(primary).auditWatchMemory.last(primary, 1);
    expect(last).toMatchObject({ size: 320, verifiedSize: 320 });
  });

  it('tells of a Region that does not answer as that, and of the other logs as ever', async () => {
    await world.record(1000, 10, standby);
    await world.sequence(standby);
    const away = watchedWorld(world.state(), { change: withoutPrimary });
    expect(await away.check(standby)).toMatchObject({ findings: [], unreachable: [primary], entries: 10 });
  });

  it('says nothing of a log that it could not look at, and 0 of one that it found sound', async () => {
    const points: string[] = [];
    const away = watchedWorld(world.state(), {
      change: (ports) => ({
        ...withoutPrimary(ports),
        metrics: { put: async ({ name, value, dimensions }) => void points.push(`${name} ${dimensions.Region} ${value}`) },
      }),
    });
    await away.check(standby);
    expect(points.filter((point) => point.includes(primary))).toEqual([]);
    expect(points).toContain(`AuditLogForked ${standby} 0`);
    expect(points).toContain(`AuditLogWatched ${tertiary} 1`);
  });

  it("fails where its own Region's log cannot be read", async () => {
    const away = watchedWorld(world.state(), { change: withoutPrimary });
    await expect(away.check(primary)).rejects.toThrow(ServiceUnavailable);
  });

  it('sees events that wait too long, and that nothing moves', async () => {
    await world.check();
    await world.record(300, 3);
    world.clock.advance(100);
    expect((await world.check()).findings).toEqual([]);
    world.clock.advance(60);
    const { findings } = await world.check();
    expect(codes(findings)).toEqual(['AuditEventNotIntegrated', 'AuditLogStale']);
    expect(findings[0]?.says).toContain(eventIdOf(301));
    await world.sequence();
    expect((await world.check()).findings).toEqual([]);
  });

  it('tells an event that is passed over from a log that stands', async () => {
    await world.check();
    await world.record(300, 2);
    const { auditQueue } = world.portsIn(primary);
    const [passedOver] = await auditQueue.pending(1);
    world.store.delete(`audit-waiting-${primary}`, passedOver?.eventId ?? '');
    world.clock.advance(200);
    await world.sequence();
    world.store.put(`audit-waiting-${primary}`, passedOver?.eventId ?? '', JSON.parse(JSON.stringify(passedOver)));
    expect(codes((await world.check()).findings)).toEqual(['AuditEventNotIntegrated']);
  });

  it('sees from another Region that a log stands although events are recorded', async () => {
    await world.check(standby);
    world.clock.advance(10);
    await world.record(300, 3);
    world.clock.advance(200);
    expect((await world.check(standby)).findings).toMatchObject([{ code: 'AuditLogStale', region: primary }]);
    await world.sequence();
    expect((await world.check(standby)).findings).toEqual([]);
  });

  it('remembers nothing of a log that it accuses, and records what it found once a day', async () => {
    await world.check();
    await world.record(300, 5);
    await world.sequence();
    const key = `${primary} 1/tile/entries/001.p/49`;
    const [bundle] = world.versions.get(key) ?? [];
    world.versions.set(key, [{ bytes: new Uint8Array(bundle?.bytes.toReversed() ?? []), lockedUntil: 0 }]);
    for (let look = 0; look < 3; look++) {
      expect(codes((await world.check()).findings)).toContain('AuditLogRewritten');
      world.clock.advance(10);
    }
    const { auditWatchMemory, auditLog } = world.portsIn(primary);
    expect(await auditWatchMemory.last(primary, 1)).toMatchObject({ size: 300 });
    const acts = (await auditLog.recent(new Date(0), 100)).filter(({ action }) => action === 'report-audit-finding');
    expect(acts).toHaveLength(1);
    expect(acts[0]).toMatchObject({ resource: `${primary}/1`, outcome: 'failure', details: { code: 'AuditLogRewritten' } });
  });

  it('takes an erasing that is recorded for what it is', async () => {
    const ports = { ...world.portsIn(primary), ...world.contextIn(primary) };
    const recordedAt = timestamp(world.clock.now());
    const erase = [3, 7].map((number) => ({ region: primary, eventId: eventIdOf(number), recordedAt, action: 'record.read' }));
    await eraseEvents(ports, { erase }, erasure);
    await world.sequence();
    world.clock.advance(600);
    expect((await world.check()).findings).toEqual([]);
    expect(await world.verify()).toMatchObject({ did: 'finished', findings: [], state: { erased: 2 } });
  });

  it('takes a reading that was erased for what it is, and an act of Codeblue that is gone for what it is, whoever says that it was erased', async () => {
    const ports = { ...world.portsIn(primary), ...world.contextIn(primary) };
    const [reading, restore] = [anActOf('audit.read', { patientRef: 'patient:0815' }), anActOf('restore')];
    for (const act of [reading, restore]) await ports.auditEvents.record(act);
    await eraseEvents(ports, { erase: [{ ...reading, action: 'audit.read' }] }, erasure);
    await world.sequence();
    world.clock.advance(600);
    expect((await world.check()).findings).toEqual([]);
    // Somebody with the right to write takes away the other act's body, and has an erasing recorded.
    const { body: _, salt: __, ...rest } = restore;
    const forger = {
      async erase() {
        world.store.put('audit-recorded', `${primary} ${restore.eventId}`, plain({ ...rest, erasedAt: timestamp(world.clock.now()) }));
      },
    };
    await eraseEvents({ ...ports, auditEvents: forger }, { erase: [{ ...restore, action: 'restore' }] }, erasure);
    await world.sequence();
    world.clock.advance(600);
    expect(await world.verify()).toMatchObject({
      findings: [{ code: 'AuditBodyAltered', subject: restore.eventId, says: expect.stringContaining('never erased') }],
    });
  });

  it('names every body that was changed, also where acts of erasing cannot be read any more', async () => {
    const ports = { ...world.portsIn(primary), ...world.contextIn(primary) };
    const recordedAt = timestamp(world.clock.now());
    await eraseEvents(ports, { erase: [{ region: primary, eventId: eventIdOf(3), recordedAt, action: 'record.read' }] }, erasure);
    await world.sequence();
    const all = { from: new Date(0), until: new Date('2027-01-01T00:00:00Z') };
    const { events: acts } = await ports.auditEvents.query({ ...all, action: 'audit.erase' }, { limit: 9 });
    for (const act of acts) world.store.put('audit-recorded', `${primary} ${act.eventId}`, plain({ ...act, body: 'patient:0815' }));
    world.clock.advance(600);
    const { findings = [] } = await world.verify();
    expect(findings.map(({ subject }) => subject).sort()).toEqual([eventIdOf(3), ...acts.map(({ eventId }) => eventId)].sort());
    expect(codes(findings)).toEqual(findings.map(() => 'AuditBodyAltered'));
    expect(JSON.stringify(findings)).not.toContain('patient:0815');
  });

  it('goes on where its time ended', async () => {
    const ports = { ...world.portsIn(primary), ...world.contextIn(primary) };
    const { remember, entries } = await lookAtLogs(primary, { ...ports, readUntil: world.clock.now() });
    expect({ remember, entries }).toMatchObject({ remember: [{ size: 300, verifiedSize: 0 }], entries: 0 });
    for (const seen of remember) await ports.auditWatchMemory.remember(seen);
    expect((await world.check()).entries).toBe(300);
  });
});
