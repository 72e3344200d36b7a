import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { regulatoryClocks, settledKey } from '../../../functions/incidents/communication/regulatory-clocks.ts';
import { remindOfDeadlines } from '../../../functions/incidents/communication/remind-of-deadlines.ts';
import { dueReminders } from '../../../functions/incidents/communication/reminders.ts';
import type { TimelineEntry } from '../../../functions/incidents/models.ts';
import { memoryWorld } from '../../support/host.ts';
import { anIncident } from '../../support/incidents.ts';
import { testOperations } from '../../support/operations.ts';

const declaredAt = new Date('2026-11-21T12:00:00Z');
const hoursLater = (count: number) => new Date(declaredAt.getTime() + count * 3_600_000);
const both = { regulations: ['gdpr', 'hipaa'] as ('gdpr' | 'hipaa')[] };
const gdpr = { regulations: ['gdpr'] as 'gdpr'[] };
const breach = anIncident({ openedAt: '2026-11-21T11:00:00Z', breachDeclaredAt: timestamp(declaredAt) });

/** What is told when somebody looks at these hours. */
function toldAt(hours: readonly number[], policy: Parameters<typeof dueReminders>[2] = gdpr) {
  const timeline: TimelineEntry[] = [];
  return hours.map((hour) => {
    const due = dueReminders(breach, timeline, policy, hoursLater(hour));
    timeline.push(...due.map(({ dueAt, says }) => ({ at: dueAt, kind: 'communication' as const, by: 'task', says })));
    return due.map(({ says, severity }) => `${says} (${severity})`);
  });
}

describe('what people are reminded of', () => {
  test('at once, more often as the deadline comes near, and each day after it', () => {
    const told = toldAt(Array.from({ length: 72 + 50 }, (_, hour) => hour)).flat();
    expect(told).toEqual([
      'GDPR article 33: 3 d left (2)',
      'GDPR article 33: 2 d left (2)',
      'GDPR article 33: 1 d left (2)',
      'GDPR article 33: 12 h left (2)',
      'GDPR article 33: 6 h left (1)',
      'GDPR article 33: 2 h left (1)',
      ...Array(3).fill('GDPR article 33: the deadline 2026-11-24T12:00:00.000Z has passed (1)'),
    ]);
  });

  test('of HIPAA for sixty days', () => {
    const told = toldAt(
      Array.from({ length: 61 }, (_, day) => day * 24),
      { regulations: ['hipaa'] },
    ).flat();
    expect(told.map((says) => says.split(': ')[1])).toEqual([
      ...['60 d left (2)', '30 d left (2)', '14 d left (2)', '7 d left (2)', '3 d left (1)', '1 d left (1)'],
      'the deadline 2027-01-20T12:00:00.000Z has passed (1)',
    ]);
  });

  test('of what was missed meanwhile only the newest', () => {
    expect(toldAt([0, 70])).toEqual([['GDPR article 33: 3 d left (2)'], ['GDPR article 33: 2 h left (1)']]);
  });

  test('whenever somebody looks: each time once, and none twice', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 24 * 70 }), { minLength: 1, maxLength: 40 }), (hours) => {
        const told = toldAt(
          [...hours].sort((a, b) => a - b),
          both,
        ).flat();
        const once = told.filter((says) => says.includes('left'));
        expect(new Set(once).size).toBe(once.length);
        expect(told.length).toBeGreaterThan(0);
      }),
    );
  });

  test('nothing once it is settled', () => {
    const settled = { ...breach, links: [{ kind: 'evidence' as const, ref: settledKey(breach, 'gdpr', hoursLater(5)) }] };
    expect(regulatoryClocks(settled, gdpr, hoursLater(100))).toMatchObject([{ status: 'settled', settledAt: timestamp(hoursLater(5)) }]);
    expect(dueReminders(settled, [], both, hoursLater(100)).map(({ clock }) => clock.regulation)).toEqual(['hipaa']);
  });
});

describe('remind-of-deadlines', () => {
  async function world() {
    const operations = testOperations();
    const made = memoryWorld({ operations: { ...operations, incidents: { ...operations.incidents, ...gdpr } } });
    await made.ports.incidents.create({ ...breach, status: 'resolved', resolvedAt: timestamp(declaredAt), resolvedBy: 'alice' }, undefined);
    return made;
  }

  test('tells people of a breach that is long resolved, once, with who decides and what to do', async () => {
    const { pass, ports } = await world();
    await pass(remindOfDeadlines);
    await pass(remindOfDeadlines);
    expect(ports.notices.published).toHaveLength(1);
    const [notice] = ports.notices.published;
    expect(notice).toMatchObject({ severity: 2, subject: expect.stringMatching(/^GDPR: 2026-11-24T12:00Z for inc-/) });
    expect(notice?.subject.length).toBeLessThanOrEqual(100);
    expect(notice?.text).toContain('compliance@example.org');
    expect(notice?.text).toContain(`codeblue incident bundle ${breach.id} --regulation gdpr`);
    expect(await ports.incidents.timeline(breach.id)).toMatchObject([{ kind: 'communication', says: 'GDPR article 33: 3 d left' }]);
  });

  test('cut off after people were told tells them again rather than never', async () => {
    const { pass, ports } = await world();
    ports.incidents.failNext('append', new ServiceUnavailable('no answer'));
    await expect(pass(remindOfDeadlines)).rejects.toThrow('no answer');
    await pass(remindOfDeadlines);
    expect(ports.notices.published).toHaveLength(2);
    await pass(remindOfDeadlines);
    expect(ports.notices.published).toHaveLength(2);
  });

  test('an incident that is no breach is nobody to remind of', async () => {
    const { pass, ports } = memoryWorld();
    await ports.incidents.create(anIncident(), undefined);
    await pass(remindOfDeadlines);
    expect(ports.notices.published).toEqual([]);
  });
});
