import { describe, expect, it } from 'vitest';
import { minutes } from '../../../functions/common/duration.ts';
import { weekly } from '../../../functions/common/schedule.ts';
import { aSignal } from '../../support/incidents.ts';
import { onlyOpen, ringing, triageStory } from '../../support/triage-world.ts';

describe('what is silenced', () => {
  it('is recorded with the silence, and pages nobody while it lasts; what still rings when it ends is told once', async () => {
    const world = triageStory();
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
    const world = triageStory();
    await world.silence('sil-1', 0, 3600);
    await world.triage([world.rings(0, { alarm: 'IncidentDeclared', source: 'person', severity: 1 })]);
    expect((await onlyOpen(world)).severity).toBe(1);
    expect(world.told()).toHaveLength(1);
  });

  it('that rings again after the silence is told by that, and not a second time', async () => {
    const world = triageStory();
    await world.silence('sil-1', 0, 60);
    await world.triage([world.rings(10)]);
    world.clock.advance(61);
    await world.triage([world.rings(61)]);
    expect(await world.release()).toBe(0);
    expect(world.told()).toHaveLength(1);
  });

  it('survivors of one service are one incident', async () => {
    const world = triageStory();
    await world.silence('sil-1', 0, 7200);
    await world.triage([world.rings(10), world.rings(3600, { alarm: 'HighLatency', severity: 1 })]);
    world.clock.advance(7200);
    expect(await world.release()).toBe(2);
    expect(ringing([await onlyOpen(world)])).toEqual(['HighLatency of orders: 1', 'ServiceDown of orders: 2']);
    expect(world.told()).toHaveLength(1);
  });

  it('holds a worse severity of an open incident back as well, until it ends', async () => {
    const world = triageStory();
    await world.triage([world.rings(0, { severity: 3 })]);
    await world.silence('sil-1', 1, 60);
    world.clock.advance(10);
    await world.triage([world.rings(10, { severity: 1 })]);
    expect((await onlyOpen(world)).severity).toBe(3);
    world.clock.advance(50);
    await world.release();
    expect(await onlyOpen(world)).toMatchObject({ severity: 1, generation: 2 });
  });

  it('an open change window holds back what can wait until it closes, and nothing else', async () => {
    const always = [{ name: 'Wednesday morning', opens: weekly('wed', '01:00'), lasts: minutes(120) }];
    const world = triageStory({ operations: { changeWindows: always, timeZone: 'America/New_York' } }); // 07:00 UTC is 02:00 there
    await world.triage([world.rings(0, { severity: 2 }), world.rings(0, { subject: 'imaging', severity: 3 })]);
    expect(ringing(await world.open())).toEqual(['ServiceDown of orders: 2']);
    world.clock.advance(3600);
    await world.release();
    expect(ringing(await world.open())).toEqual(['ServiceDown of imaging: 3', 'ServiceDown of orders: 2']);
  });
});

describe('an alarm that comes and goes', () => {
  const changes = async (world: ReturnType<typeof triageStory>, count: number, everySeconds: number) => {
    for (let change = 0; change < count; change++) {
      const after = change * everySeconds;
      await world.triage([change % 2 === 0 ? world.rings(after) : world.isWell(after)]);
      world.clock.advance(everySeconds);
      await world.release();
    }
  };

  it('pages no more once it flaps, until it has been quiet and still rings; then once', async () => {
    const world = triageStory();
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
    const world = triageStory();
    await world.triage([world.rings(0, { alarm: 'HighLatency' })]);
    await changes(world, 9, 30);
    const { id } = await onlyOpen(world);
    expect(ringing(await world.open())).toEqual(['HighLatency of orders: 2', 'ServiceDown of orders: 2']);
    expect(world.told()).toEqual([`${id}-1`]);
  });

  it('that is slow pages each time', async () => {
    const world = triageStory();
    await changes(world, 9, 400);
    expect(world.told()).toHaveLength(5);
  });
});
