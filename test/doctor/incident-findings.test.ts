import { describe, expect, test } from 'vitest';
import { minutes } from '../../functions/common/duration.ts';
import type { IncidentPolicy, Rotation } from '../../functions/common/incident-policy.ts';
import { incidentConfigFindings } from '../../functions/doctor/incident-findings.ts';
import { coverageGaps } from '../../functions/incidents/on-call/coverage.ts';
import { refuseCoverageGaps } from '../../lib/coverage.ts';
import { testOperations } from '../support/operations.ts';

const now = new Date('2026-11-21T12:00:00Z');
const base = testOperations();
const always: Rotation = { people: ['on-call'], from: '2026-01-01', handOver: { everyDays: 7, at: '09:00' } };
const weekend: Rotation = { ...always, only: [{ days: ['sat', 'sun'], from: '00:00', to: '00:00' }] };
const workdays: Rotation = {
  ...always,
  people: ['owner'],
  only: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '00:00', to: '00:00' }],
};

const policyOf = (layers: Rotation[], change: Partial<IncidentPolicy> = {}): IncidentPolicy => ({
  ...base.incidents,
  mode: 'on',
  people: base.incidents.people.map((person) => ({ ...person, urgent: [...person.urgent, { kind: 'sms', number: '+15551234567' }] })),
  schedules: [{ id: 'on-call', timeZone: 'America/New_York', layers }],
  policies: [{ id: 'default', steps: [{ notify: [{ schedule: 'on-call' }], wait: minutes(5) }], repeats: 1, acknowledgements: {} }],
  ...change,
});
const found = (policy: IncidentPolicy) => incidentConfigFindings(policy, now).map(({ level, subject }) => `${level} ${subject}`);

describe('somebody is on duty at every moment of the coming year', () => {
  test('when a rotation is never interrupted, or two fill the week between them', () => {
    expect(coverageGaps(policyOf([always]), now)).toEqual([]);
    expect(coverageGaps(policyOf([weekend, workdays]), now)).toEqual([]);
    expect(found(policyOf([always]))).toEqual(['ok incidents']);
  });

  test('or else each gap is named by its step, to the second, with the changes of the clocks', () => {
    const gaps = coverageGaps(policyOf([workdays]), now);
    expect(gaps).toHaveLength(53);
    const hours = gaps.slice(1, -1).map(({ from, until }) => (until.getTime() - from.getTime()) / 3_600_000);
    expect([Math.min(...hours), Math.max(...hours)]).toEqual([47, 49]);
    expect(found(policyOf([workdays]))).toEqual(['problem incidents.policies[0].steps[0]']);
  });

  test('a rotation that begins later leaves a gap until then', () => {
    const gaps = coverageGaps(policyOf([{ ...always, from: '2026-12-01' }]), now);
    expect(gaps.map(({ from, until }) => [from.toISOString(), until.toISOString()])).toEqual([
      [now.toISOString(), '2026-12-01T14:00:00.000Z'],
    ]);
  });

  test('a step that names a person, or another schedule that fills the gap, tells somebody', () => {
    const steps = (notify: IncidentPolicy['policies'][number]['steps'][number]['notify']): Partial<IncidentPolicy> => ({
      schedules: [
        { id: 'on-call', timeZone: 'America/New_York', layers: [weekend] },
        { id: 'days', timeZone: 'America/New_York', layers: [workdays] },
        { id: 'far', timeZone: 'Asia/Tokyo', layers: [workdays] },
      ],
      policies: [{ id: 'default', steps: [{ notify, wait: minutes(5) }], repeats: 1, acknowledgements: {} }],
    });
    expect(coverageGaps(policyOf([], steps([{ schedule: 'on-call' }, { person: 'owner' }])), now)).toEqual([]);
    expect(coverageGaps(policyOf([], steps([{ schedule: 'on-call' }, { schedule: 'days' }])), now)).toEqual([]);
    const far = coverageGaps(policyOf([], steps([{ schedule: 'on-call' }, { schedule: 'far' }])), now);
    expect((far[0]?.until.getTime() ?? 0) - (far[0]?.from.getTime() ?? 0)).toBe(14 * 3_600_000);
  });

  test('what is deployed is refused otherwise; not while alarms go by mail', () => {
    const deploy = (incidents: IncidentPolicy) => () => refuseCoverageGaps(testOperations({ incidents }), now);
    expect(deploy(policyOf([workdays]))).toThrow(
      /incidents\.policies\[0\]\.steps\[0\]: nobody is on duty from 2026-11-21 12:00 to 2026-11-23 05:00 UTC/,
    );
    expect(deploy(policyOf([always]))).not.toThrow();
    expect(deploy({ ...policyOf([workdays]), mode: 'off' })).not.toThrow();
  });
});

describe('worth knowing', () => {
  const people = policyOf([always]).people;
  const [step] = policyOf([always]).policies[0]?.steps ?? [];
  if (!step) throw new Error('there is a step');
  const policy = (change: Partial<IncidentPolicy['policies'][number]>): Partial<IncidentPolicy> => ({
    policies: [{ id: 'default', steps: [step], repeats: 1, acknowledgements: {}, ...change }],
  });

  test.each<[string, Partial<IncidentPolicy>, string]>([
    [
      'a person with one channel',
      {
        people: people.map((each) => ({
          ...each,
          urgent: [
            { kind: 'email', address: 'a@example.org' },
            { kind: 'email', address: 'b@example.org' },
          ],
        })),
      },
      'warning incidents.people[0].urgent',
    ],
    [
      'a first step that outlasts the response clock',
      policy({ steps: [{ ...step, wait: minutes(15) }] }),
      'warning incidents.policies[0].steps[0].wait',
    ],
    ['one page and no other', policy({ repeats: 0 }), 'warning incidents.policies[0].steps'],
    ['links that do not last', { linkLasts: minutes(4) }, 'warning incidents.linkLasts'],
    [
      'a schedule of nobody',
      { schedules: [...policyOf([always]).schedules, { id: 'spare', timeZone: 'Etc/UTC', layers: [always] }] },
      'warning incidents.schedules[1]',
    ],
  ])('%s', (_, change, finding) => {
    expect(found(policyOf([always], change))[0]).toBe(finding);
  });

  test('nothing while alarms go by mail', () => {
    expect(found({ ...policyOf([workdays]), mode: 'off' })).toEqual([]);
  });
});
