import { describe, expect, it } from 'vitest';
import { minutes } from '../../../functions/common/duration.ts';
import { weekly } from '../../../functions/common/schedule.ts';
import type { Incident, Signal } from '../../../functions/incidents/models.ts';
import { aSignal, dedupKeyOf } from '../../support/incidents.ts';
import { testOperations } from '../../support/operations.ts';
import { ringing, type TriageWorld, triageWorld } from '../../support/triage-world.ts';

type Given = NonNullable<Parameters<typeof aSignal>[0]>;

/** A world, and signals that happen `after` seconds from its start. */
function story(given: Parameters<typeof triageWorld>[0] = {}) {
  const world = triageWorld(given);
  const signal = (after: number, what: Given = {}): Signal => aSignal({ ...what, at: world.at(after) });
  const rings = (after: number, what: Given = {}) => signal(after, what);
  const isWell = (after: number, what: Given = {}) => signal(after, { ...what, action: 'resolve' });
  return { ...world, rings, isWell, signal };
}

const only = async (world: Pick<TriageWorld, 'open'>): Promise<Incident> => {
  const [incident, ...others] = await world.open();
  if (!incident || others.length > 0) throw new Error(`one incident expected, ${others.length + Number(incident !== undefined)} are open`);
  return incident;
};

describe('an alarm', () => {
  it('opens an incident with the clocks of its severity, and has people told', async () => {
    const world = story();
    const signal = world.rings(0, { severity: 1 });
    world.clock.advance(2);
    expect(await world.triage([signal])).toEqual({ opened: 1 });
    const incident = await only(world);
    expect(incident).toMatchObject({
      ...{ home: 'us-east-1', status: 'triggered', severity: 1, groupKey: 'orders@us-east-1', policy: 'default', generation: 1 },
      ...{ openedAt: world.at(2), escalatesFrom: world.at(2), respondBy: world.at(2 + 900), resolveBy: world.at(2 + 14_400) },
      troubles: [{ alarm: 'ServiceDown', subject: 'orders', status: 'firing', severity: 1, signals: 1, changes: [world.at(0)] }],
    });
    expect(world.told()).toEqual([`${incident.id}-1`]);
    expect(await world.outcome(signal)).toMatchObject({ outcome: 'opened', incidentId: incident.id });
    expect((await world.ports.incidents.timeline(incident.id)).map(({ says }) => says)).toEqual([
      'ServiceDown of orders in us-east-1 rings (P0)',
      'opened: told to whom policy default names',
    ]);
  });

  it('belongs to the policy of the service that it is about', async () => {
    const [policy] = testOperations().incidents.policies;
    if (!policy) throw new Error('a policy');
    const world = story({ policy: { services: [{ id: 'orders', policy: 'orders' }], policies: [policy, { ...policy, id: 'orders' }] } });
    await world.triage([world.rings(0), world.rings(0, { subject: 'imaging' })]);
    expect((await world.open()).map((incident) => [incident.groupKey, incident.policy]).toSorted()).toEqual([
      ['imaging@us-east-1', 'default'],
      ['orders@us-east-1', 'orders'],
    ]);
  });

  it('that is well again resolves its incident', async () => {
    const world = story();
    await world.triage([world.rings(0)]);
    const { id } = await only(world);
    world.clock.advance(60);
    const well = world.isWell(60);
    await world.triage([well]);
    expect(await world.open()).toEqual([]);
    expect(await world.ports.incidents.get(id)).toMatchObject({ status: 'resolved', resolvedBy: 'alarms', resolvedAt: world.at(60) });
    expect(await world.outcome(well)).toMatchObject({ outcome: 'resolved', incidentId: id });
    expect((await world.ports.incidents.timeline(id)).at(-1)).toMatchObject({ kind: 'resolution', by: 'alarms' });
  });

  it('that was well before it was heard to ring opens nothing', async () => {
    const world = story();
    const [rang, well] = [world.rings(0), world.isWell(5)];
    await world.triage([well]);
    await world.triage([rang]);
    expect(await world.open()).toEqual([]);
    expect(await world.outcome(rang)).toMatchObject({
      outcome: 'ignored',
      says: expect.stringContaining('an older change changes nothing'),
    });
    expect(world.told()).toEqual([]);
  });

  it('that rings again before its incident is forgotten reopens it; later it is another one', async () => {
    const world = story();
    await world.triage([world.rings(0)]);
    const { id } = await only(world);
    world.clock.advance(60);
    await world.triage([world.isWell(60)]);
    world.clock.advance(240);
    const back = world.rings(300);
    await world.triage([back]);
    expect(await only(world)).toMatchObject({
      id,
      status: 'triggered',
      generation: 2,
      escalatesFrom: world.at(300),
      respondBy: world.at(300 + 1800),
    });
    expect(await world.outcome(back)).toMatchObject({ outcome: 'reopened' });
    expect(world.told()).toEqual([`${id}-1`, `${id}-2`]);
    await world.triage([world.isWell(310)]);
    world.clock.advance(300);
    await world.triage([world.rings(600)]);
    expect((await only(world)).id).not.toBe(id);
  });

  it('that a person has resolved is told again when it is heard again, not when an old delivery comes again', async () => {
    const world = story();
    const signal = world.rings(0);
    await world.triage([signal]);
    const incident = await only(world);
    await world.ports.incidents.update({ ...incident, status: 'resolved', resolvedAt: world.at(1), resolvedBy: 'cli/alice' });
    await world.triage([signal, { ...signal, signalId: 'the same change by another name' }]);
    expect(await world.open()).toEqual([]);
    await world.triage([world.rings(30)]);
    expect(await only(world)).toMatchObject({ id: incident.id, generation: 2 });
  });
});

describe('alarms of one service', () => {
  it('are one incident while they come within the time of the group, and it is over when all of them are well', async () => {
    const world = story();
    const [first, second, third] = [world.rings(0), world.rings(290, { alarm: 'HighLatency' }), world.rings(580, { alarm: 'ErrorRate' })];
    for (const each of [first, second, third]) await world.triage([each]);
    const { id } = await only(world);
    expect(world.told()).toEqual([`${id}-1`]);
    const after = world.rings(881, { alarm: 'DiskFull' });
    await world.triage([after]);
    expect(await world.open()).toHaveLength(2);
    await world.triage([world.isWell(890), world.isWell(890, { alarm: 'HighLatency' })]);
    expect((await world.ports.incidents.get(id))?.status).toBe('triggered');
    await world.triage([world.isWell(891, { alarm: 'ErrorRate' })]);
    expect((await world.ports.incidents.get(id))?.status).toBe('resolved');
  });

  it('raise the incident when one is worse: it is told anew, whoever had answered and however it was paused', async () => {
    const world = story();
    await world.triage([world.rings(0, { severity: 3 })]);
    const incident = await only(world);
    const answered = { by: 'alice', at: world.at(1), until: world.at(3600) };
    await world.ports.incidents.update({ ...incident, status: 'acknowledged', acknowledgements: [answered], pausedUntil: world.at(3600) });
    world.clock.advance(60);
    const worse = world.rings(60, { alarm: 'DataLoss', severity: 1 });
    await world.triage([worse]);
    const raised = await only(world);
    expect(raised).toMatchObject({
      ...{ id: incident.id, severity: 1, status: 'triggered', acknowledgements: [] },
      ...{ generation: 2, respondBy: world.at(960) },
    });
    expect(raised.pausedUntil).toBeUndefined();
    expect(world.told()).toEqual([`${incident.id}-1`, `${incident.id}-2`]);
    expect((await world.outcome(worse))?.says).toContain('raised to P0');
    expect(await world.ports.incidents.timeline(incident.id)).toContainEqual(
      expect.objectContaining({ kind: 'severity', says: 'raised to P0 by DataLoss of orders in us-east-1' }),
    );
  });

  it('that ring on leave a severity alone that a person has made of it', async () => {
    const world = story();
    await world.triage([world.rings(0, { severity: 1 })]);
    const incident = await only(world);
    await world.ports.incidents.update({ ...incident, severity: 3 });
    await world.triage([world.rings(10, { severity: 1 })]);
    expect(await only(world)).toMatchObject({ severity: 3, generation: 1 });
  });

  it('are more than one incident when there are more of them than one can hold', async () => {
    const world = story();
    const storm = Array.from({ length: 450 }, (_, index) =>
      world.rings(index / 10, { dedupKey: dedupKeyOf(`${index}`), signalId: `s${index}` }),
    );
    for (let from = 0; from < storm.length; from += 100) await world.triage(storm.slice(from, from + 100));
    const open = await world.open();
    expect(open.map(({ troubles }) => troubles.length).toSorted((a, b) => a - b)).toEqual([50, 200, 200]);
    expect(open.filter(({ links }) => links.some(({ kind }) => kind === 'incident'))).toHaveLength(2);
    expect(new Set(open.flatMap(({ troubles }) => troubles.map(({ dedupKey }) => dedupKey))).size).toBe(450);
  });
});

describe('an alarm that another one explains', () => {
  const inhibitions = [{ source: 'RegionDown', silences: ['ServiceDown'] }];
  it('joins its incident and pages nobody', async () => {
    const world = story({ policy: { inhibitions } });
    await world.triage([world.rings(0, { alarm: 'RegionDown', subject: 'us-east-1', severity: 1 })]);
    const { id } = await only(world);
    const explained = world.rings(3600, { severity: 2 });
    await world.triage([explained]);
    expect(await world.outcome(explained)).toMatchObject({
      outcome: 'joined',
      incidentId: id,
      says: expect.stringContaining('RegionDown explains it'),
    });
    expect(world.told()).toEqual([`${id}-1`]);
  });

  it('opens its own when the cause is well, though what it explained rings on', async () => {
    const world = story({ policy: { inhibitions } });
    const down = { alarm: 'RegionDown', subject: 'us-east-1', severity: 1 } as const;
    await world.triage([world.rings(0, down), world.rings(1), world.isWell(2, down)]);
    const { id } = await only(world);
    const later = world.rings(3, { subject: 'imaging' });
    await world.triage([later]);
    expect(await world.outcome(later)).toMatchObject({ outcome: 'opened' });
    expect((await world.ports.incidents.get(id))?.status).toBe('triggered');
  });

  it('opens its own in another Region, or once the other is well', async () => {
    const world = story({ policy: { inhibitions } });
    const down = { alarm: 'RegionDown', subject: 'us-east-1', severity: 1 } as const;
    await world.triage([world.rings(0, down), world.rings(1, { region: 'us-west-2' })]);
    expect(await world.open()).toHaveLength(2);
    await world.triage([world.isWell(2, down), world.rings(3)]);
    expect(ringing(await world.open())).toEqual(['ServiceDown of orders: 2', 'ServiceDown of orders: 2']);
  });
});

describe('what is silenced', () => {
  it('is recorded with the silence, and pages nobody while it lasts; what still rings when it ends is told once', async () => {
    const world = story();
    await world.silence('sil-disk', 0, 3600, { subject: aSignal().subject });
    const [silenced, other] = [world.rings(10), world.rings(10, { subject: 'imaging' })];
    await world.triage([silenced, other]);
    expect(await world.outcome(silenced)).toMatchObject({ outcome: 'silenced', says: expect.stringContaining('sil-disk') });
    expect(ringing(await world.open())).toEqual(['ServiceDown of imaging: 2']);
    await world.triage([world.rings(20, { alarm: 'HighLatency' }), world.isWell(30, { alarm: 'HighLatency' })]);

    world.clock.advance(3599);
    expect(await world.release()).toBe(0);
    world.clock.advance(1);
    expect(await world.release()).toBe(1);
    expect(ringing(await world.open())).toEqual(['ServiceDown of imaging: 2', 'ServiceDown of orders: 2']);
    expect(world.told()).toHaveLength(2);
    const survivor = (await world.open()).find(({ groupKey }) => groupKey.startsWith('orders'));
    if (!survivor) throw new Error('nothing survived');
    expect(survivor.escalatesFrom).toBe(world.at(3600));
    expect((await world.ports.incidents.timeline(survivor.id))[0]?.says).toContain('still rings after silence sil-disk');
    world.clock.advance(60);
    expect(await world.release()).toBe(0);
    expect(world.told()).toHaveLength(2);
  });

  it('is not what a person declares', async () => {
    const world = story();
    await world.silence('sil-1', 0, 3600);
    await world.triage([world.rings(0, { alarm: 'IncidentDeclared', source: 'person', severity: 1 })]);
    expect((await only(world)).severity).toBe(1);
    expect(world.told()).toHaveLength(1);
  });

  it('that rings again after the silence is told by that, and not a second time', async () => {
    const world = story();
    await world.silence('sil-1', 0, 60);
    await world.triage([world.rings(10)]);
    world.clock.advance(61);
    await world.triage([world.rings(61)]);
    expect(await world.release()).toBe(0);
    expect(world.told()).toHaveLength(1);
  });

  it('survivors of one service are one incident', async () => {
    const world = story();
    await world.silence('sil-1', 0, 7200);
    await world.triage([world.rings(10), world.rings(3600, { alarm: 'HighLatency', severity: 1 })]);
    world.clock.advance(7200);
    expect(await world.release()).toBe(2);
    expect(ringing([await only(world)])).toEqual(['HighLatency of orders: 1', 'ServiceDown of orders: 2']);
    expect(world.told()).toHaveLength(1);
  });

  it('holds a worse severity of an open incident back as well, until it ends', async () => {
    const world = story();
    await world.triage([world.rings(0, { severity: 3 })]);
    await world.silence('sil-1', 1, 60);
    world.clock.advance(10);
    await world.triage([world.rings(10, { severity: 1 })]);
    expect((await only(world)).severity).toBe(3);
    world.clock.advance(50);
    await world.release();
    expect(await only(world)).toMatchObject({ severity: 1, generation: 2 });
  });

  it('an open change window holds back what can wait until it closes, and nothing else', async () => {
    const always = [{ name: 'Wednesday morning', opens: weekly('wed', '01:00'), lasts: minutes(120) }];
    const world = story({ operations: { changeWindows: always, timeZone: 'America/New_York' } }); // 07:00 UTC is 02:00 there
    await world.triage([world.rings(0, { severity: 2 }), world.rings(0, { subject: 'imaging', severity: 3 })]);
    expect(ringing(await world.open())).toEqual(['ServiceDown of orders: 2']);
    world.clock.advance(3600);
    await world.release();
    expect(ringing(await world.open())).toEqual(['ServiceDown of imaging: 3', 'ServiceDown of orders: 2']);
  });
});

describe('an alarm that comes and goes', () => {
  const changes = async (world: ReturnType<typeof story>, count: number, everySeconds: number) => {
    for (let change = 0; change < count; change++) {
      const after = change * everySeconds;
      await world.triage([change % 2 === 0 ? world.rings(after) : world.isWell(after)]);
      world.clock.advance(everySeconds);
      await world.release();
    }
  };

  it('pages no more once it flaps, until it has been quiet and still rings; then once', async () => {
    const world = story();
    await changes(world, 7, 60); // the seventh change makes it flap; three have paged before
    expect(world.told()).toHaveLength(3);
    for (let change = 7; change < 61; change++) {
      await world.triage([change % 2 === 0 ? world.rings(change * 60) : world.isWell(change * 60)]);
      world.clock.advance(60);
      await world.release();
    }
    expect(world.told()).toHaveLength(3);
    const [flapped] = await world.ports.incidents.heldBack();
    expect(flapped?.heldBack).toMatchObject({ by: 'flapping' });
    world.clock.advance(14 * 60 - 1);
    expect(await world.release()).toBe(0);
    world.clock.advance(1);
    expect(await world.release()).toBe(1);
    expect(world.told()).toHaveLength(4);
    expect(ringing(await world.open())).toEqual(['ServiceDown of orders: 2']);
  });

  it('joins what is open all the same', async () => {
    const world = story();
    await world.triage([world.rings(0, { alarm: 'HighLatency' })]);
    await changes(world, 9, 30);
    const { id } = await only(world);
    expect(ringing(await world.open())).toEqual(['HighLatency of orders: 2', 'ServiceDown of orders: 2']);
    expect(world.told()).toEqual([`${id}-1`]);
  });

  it('that is slow pages each time', async () => {
    const world = story();
    await changes(world, 9, 400);
    expect(world.told()).toHaveLength(5);
  });
});

describe('an acknowledgement by the source', () => {
  const pagerduty = { source: 'pagerduty', integration: 'nagios' } as const;
  it('answers the open incident, once, from when it was told', async () => {
    const world = story();
    world.clock.advance(10);
    const answer = world.signal(5, { ...pagerduty, action: 'acknowledge' });
    await world.triage([answer, world.rings(0, pagerduty)]);
    await world.triage([answer, { ...answer, signalId: 'again' }]);
    expect(await only(world)).toMatchObject({
      status: 'acknowledged',
      acknowledgements: [{ by: 'nagios', at: world.at(10), until: world.at(10 + 3600) }],
    });
    expect(await world.outcome(answer)).toMatchObject({ outcome: 'acknowledged' });
  });

  it('of nothing that is open, or of what has rung anew since, is ignored with the reason', async () => {
    const world = story();
    const early = world.signal(0, { ...pagerduty, action: 'acknowledge' });
    await world.triage([early]);
    expect(await world.outcome(early)).toMatchObject({ outcome: 'ignored', says: expect.stringContaining('nothing is open') });
    await world.triage([world.rings(10), world.isWell(20), world.rings(30)]);
    const stale = world.signal(15, { ...pagerduty, action: 'acknowledge' });
    await world.triage([stale]);
    expect((await only(world)).status).toBe('triggered');
    expect(await world.outcome(stale)).toMatchObject({ outcome: 'ignored' });
  });
});
