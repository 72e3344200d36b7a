import { describe, expect, it } from 'vitest';
import { actOfEvent, eventOfAct } from '../../../functions/audit/events/act-event.ts';
import { actLog } from '../../../functions/audit/events/act-log.ts';
import { EventLeaf } from '../../../functions/audit/events/leaf.ts';
import { bodyOf } from '../../../functions/audit/events/recorded.ts';
import { AuditEvent } from '../../../functions/audit/ports.ts';
import { Conflict } from '../../../functions/common/errors.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { memoryAuditEvents } from '../../../functions/memory/audit/events.ts';
import { memoryAuditQueue } from '../../../functions/memory/audit/queue.ts';
import { manualClock } from '../../../functions/memory/clock.ts';
import { memoryItemStore } from '../../../functions/memory/item-store.ts';
import { anEvent } from '../../support/audit-events.ts';
import { elsewhere, home } from '../../support/incidents.ts';

const act = (facts: Partial<AuditEvent> = {}): AuditEvent =>
  AuditEvent.parse({
    ...{ eventId: 'promote:database/hms/us-west-2:1:intent', actId: 'promote:database/hms/us-west-2:1', phase: 'intent' },
    ...{ at: '2026-11-21T07:00:00.000Z', actor: 'machine/failover', action: 'promote', resource: 'database/hms/us-west-2' },
    ...{ region: elsewhere, outcome: 'pending', details: { epoch: 5, region: 'us-west-2', first: true, note: null } },
    ...facts,
  });

function world() {
  const clock = manualClock('2026-11-21T07:00:01Z');
  const store = memoryItemStore(clock);
  const auditEvents = memoryAuditEvents({ store, region: home });
  return {
    clock,
    store,
    auditEvents,
    auditQueue: memoryAuditQueue({ store, region: home }),
    log: actLog({ auditEvents, clock, region: home }),
  };
}

describe('an act of Codeblue as an event', () => {
  it('comes back as it was', () => {
    expect(actOfEvent(eventOfAct(act()))).toEqual(act());
  });

  it('has an id that follows from its own: a UUID of version 8', () => {
    const { eventId } = eventOfAct(act());
    expect(eventId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(eventOfAct(act({ outcome: 'failure' })).eventId).toBe(eventId);
    expect(eventOfAct(act({ eventId: 'promote:database/hms/us-west-2:1:outcome' })).eventId).not.toBe(eventId);
  });

  it('does not fail for what somebody wrote into its reasons', () => {
    const lines = act({
      actor: `cli/${'x'.repeat(190)}`,
      resource: 'report/line one\nline two\u2028three',
      details: { error: `refused\n${'\u{1F3E5}'.repeat(4000)}`, ['long'.repeat(30)]: 'x', lone: '\ud800' },
    });
    const told = actOfEvent(eventOfAct(lines));
    expect(told).toMatchObject({ actId: lines.actId, resource: 'report/line one line two three' });
    expect(told?.actor).toHaveLength(128);
    expect(Object.keys(told?.details ?? {})).toHaveLength(3);
  });

  it('tells nothing in its leaf but action, outcome and times', async () => {
    const { log, auditEvents } = world();
    await log.record(act());
    const [event] = await auditEvents.ofAct(act().actId);
    expect(EventLeaf.parse(JSON.parse(event?.leaf ?? ''))).toMatchObject({
      ...{ action: 'promote', outcome: 'pending', recordedAt: '2026-11-21T07:00:01.000Z' },
    });
    expect(event?.leaf).not.toContain('hms');
  });

  it('is no act when an application tells of one', () => {
    const body = bodyOf(anEvent(1, { actId: 'promote:x', phase: 'intent' }));
    expect(body && actOfEvent(body)).toBeUndefined();
  });
});

describe("the log of Codeblue's own acts", () => {
  it('waits for its place in the log of the Region that it was told in, whatever Region it was about', async () => {
    const { log, auditQueue, auditEvents } = world();
    await log.record(act({ region: elsewhere }));
    expect(await auditQueue.pending(10)).toHaveLength(1);
    expect(await auditEvents.ofAct(act().actId)).toMatchObject([{ region: home }]);
    expect(await log.act(act().actId)).toEqual([act({ region: elsewhere })]);
  });

  it('tells an act once that two Regions recorded', async () => {
    const { log, store, clock } = world();
    const there = actLog({ auditEvents: memoryAuditEvents({ store, region: elsewhere }), clock, region: elsewhere });
    await log.record(act());
    await there.record(act());
    expect(await log.act(act().actId)).toEqual([act()]);
    expect(await log.recent(new Date(0), 10)).toEqual([act()]);
  });

  it('leaves the events of applications out, and finds its own behind any number of them', async () => {
    const { log, auditEvents } = world();
    await log.record(act({ at: timestamp(new Date('2026-11-20T07:00:00Z')) }));
    for (let number = 0; number < 1200; number++) await auditEvents.record(anEvent(number));
    expect(await log.recent(new Date(0), 1)).toMatchObject([{ actId: act().actId }]);
  });

  it('refuses to pass over an act whose id an application has taken', async () => {
    const { log, auditEvents } = world();
    const { eventId } = eventOfAct(act());
    await auditEvents.record(anEvent(1, { eventId }));
    await expect(log.record(act())).rejects.toThrow(Conflict);
  });
});
