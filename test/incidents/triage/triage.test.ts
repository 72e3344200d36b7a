import { describe, expect, it } from 'vitest';
import { dedupKeyOf } from '../../support/incidents.ts';
import { testOperations } from '../../support/operations.ts';
import { onlyOpen, ringing, triageStory } from '../../support/triage-world.ts';

describe('an alarm', () => {
  it('opens an incident with the clocks of its severity, and has people told', async () => {
    const world = triageStory();
    const signal = world.rings(0, { severity: 1 });
    world.clock.advance(2);
    expect(await world.triage([signal])).toEqual({ opened: 1 });
    const incident = await onlyOpen(world);
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
    const world = triageStory({
      policy: { services: [{ id: 'orders', policy: 'orders' }], policies: [policy, { ...policy, id: 'orders' }] },
    });
    await world.triage([world.rings(0), world.rings(0, { subject: 'imaging' })]);
    expect((await world.open()).map((incident) => [incident.groupKey, incident.policy]).toSorted()).toEqual([
      ['imaging@us-east-1', 'default'],
      ['orders@us-east-1', 'orders'],
    ]);
  });

  it('that is well again resolves its incident', async () => {
    const world = triageStory();
    await world.triage([world.rings(0)]);
    const { id } = await onlyOpen(world);
    world.clock.advance(60);
    const well = world.isWell(60);
    await world.triage([well]);
    expect(await world.open()).toEqual([]);
    expect(await world.ports.incidents.get(id)).toMatchObject({ status: 'resolved', resolvedBy: 'alarms', resolvedAt: world.at(60) });
    expect(await world.outcome(well)).toMatchObject({ outcome: 'resolved', incidentId: id });
    expect((await world.ports.incidents.timeline(id)).at(-1)).toMatchObject({ kind: 'resolution', by: 'alarms' });
  });

  it('that was well before it was heard to ring opens nothing', async () => {
    const world = triageStory();
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
    const world = triageStory();
    await world.triage([world.rings(0)]);
    const { id } = await onlyOpen(world);
    world.clock.advance(60);
    await world.triage([world.isWell(60)]);
    world.clock.advance(240);
    const back = world.rings(300);
    await world.triage([back]);
    expect(await onlyOpen(world)).toMatchObject({
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
    expect((await onlyOpen(world)).id).not.toBe(id);
  });

  it('that a person has resolved is told again when it is heard again, not when an old delivery comes again', async () => {
    const world = triageStory();
    const signal = world.rings(0);
    await world.triage([signal]);
    const incident = await onlyOpen(world);
    await world.ports.incidents.update({ ...incident, status: 'resolved', resolvedAt: world.at(1), resolvedBy: 'cli/alice' });
    await world.triage([signal, { ...signal, signalId: 'the same change by another name' }]);
    expect(await world.open()).toEqual([]);
    await world.triage([world.rings(30)]);
    expect(await onlyOpen(world)).toMatchObject({ id: incident.id, generation: 2 });
  });
});

describe('alarms of one service', () => {
  it('are one incident while they come within the time of the group, and it is over when all of them are well', async () => {
    const world = triageStory();
    const [first, second, third] = [world.rings(0), world.rings(290, { alarm: 'HighLatency' }), world.rings(580, { alarm: 'ErrorRate' })];
    for (const each of [first, second, third]) await world.triage([each]);
    const { id } = await onlyOpen(world);
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
    const world = triageStory();
    await world.triage([world.rings(0, { severity: 3 })]);
    const incident = await onlyOpen(world);
    const answered = { by: 'alice', at: world.at(1), until: world.at(3600) };
    await world.ports.incidents.update({ ...incident, status: 'acknowledged', acknowledgements: [answered], pausedUntil: world.at(3600) });
    world.clock.advance(60);
    const worse = world.rings(60, { alarm: 'DataLoss', severity: 1 });
    await world.triage([worse]);
    const raised = await onlyOpen(world);
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
    const world = triageStory();
    await world.triage([world.rings(0, { severity: 1 })]);
    const incident = await onlyOpen(world);
    await world.ports.incidents.update({ ...incident, severity: 3 });
    await world.triage([world.rings(10, { severity: 1 })]);
    expect(await onlyOpen(world)).toMatchObject({ severity: 3, generation: 1 });
  });

  it('are more than one incident when there are more of them than one can hold', async () => {
    const world = triageStory();
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
    const world = triageStory({ policy: { inhibitions } });
    await world.triage([world.rings(0, { alarm: 'RegionDown', subject: 'us-east-1', severity: 1 })]);
    const { id } = await onlyOpen(world);
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
    const world = triageStory({ policy: { inhibitions } });
    const down = { alarm: 'RegionDown', subject: 'us-east-1', severity: 1 } as const;
    await world.triage([world.rings(0, down), world.rings(1), world.isWell(2, down)]);
    const { id } = await onlyOpen(world);
    const later = world.rings(3, { subject: 'imaging' });
    await world.triage([later]);
    expect(await world.outcome(later)).toMatchObject({ outcome: 'opened' });
    expect((await world.ports.incidents.get(id))?.status).toBe('triggered');
  });

  it('opens its own in another Region, or once the other is well', async () => {
    const world = triageStory({ policy: { inhibitions } });
    const down = { alarm: 'RegionDown', subject: 'us-east-1', severity: 1 } as const;
    await world.triage([world.rings(0, down), world.rings(1, { region: 'us-west-2' })]);
    expect(await world.open()).toHaveLength(2);
    await world.triage([world.isWell(2, down), world.rings(3)]);
    expect(ringing(await world.open())).toEqual(['ServiceDown of orders: 2', 'ServiceDown of orders: 2']);
  });
});

describe('an acknowledgement by the source', () => {
  const pagerduty = { source: 'pagerduty', integration: 'nagios' } as const;
  it('answers the open incident, once, from when it was told', async () => {
    const world = triageStory();
    world.clock.advance(10);
    const answer = world.signal(5, { ...pagerduty, action: 'acknowledge' });
    await world.triage([answer, world.rings(0, pagerduty)]);
    await world.triage([answer, { ...answer, signalId: 'again' }]);
    expect(await onlyOpen(world)).toMatchObject({
      status: 'acknowledged',
      acknowledgements: [{ by: 'nagios', at: world.at(10), until: world.at(10 + 3600) }],
    });
    expect(await world.outcome(answer)).toMatchObject({ outcome: 'acknowledged' });
  });

  it('of nothing that is open, or of what has rung anew since, is ignored with the reason', async () => {
    const world = triageStory();
    const early = world.signal(0, { ...pagerduty, action: 'acknowledge' });
    await world.triage([early]);
    expect(await world.outcome(early)).toMatchObject({ outcome: 'ignored', says: expect.stringContaining('nothing is open') });
    await world.triage([world.rings(10), world.isWell(20), world.rings(30)]);
    const stale = world.signal(15, { ...pagerduty, action: 'acknowledge' });
    await world.triage([stale]);
    expect((await onlyOpen(world)).status).toBe('triggered');
    expect(await world.outcome(stale)).toMatchObject({ outcome: 'ignored' });
  });
});
