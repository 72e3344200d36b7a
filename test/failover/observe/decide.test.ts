import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Region } from '../../../functions/common/ids.ts';
import type { Finding, Vote } from '../../../functions/failover/models.ts';
import { type Decision, decide, type Situation } from '../../../functions/failover/observe/decide.ts';
import { testOperations } from '../../support/operations.ts';
import { at, epoch, led, operations, planned, policy, primary, secondsLater, standby, tertiary } from '../support.ts';

const unhealthy = (subject: string, forSeconds: number, says = 'timeout after 2 s'): Finding => ({
  subject,
  status: 'unhealthy',
  since: at(-forSeconds),
  contrary: 0,
  says,
});
const well: Finding = { ...unhealthy('region', 600, '200 in 31 ms'), status: 'healthy' };

/** Cast now, about the primary Region in the present epoch. */
const vote = (observer: Region, findings: readonly Finding[] = [well], change: Partial<Vote> = {}): Vote => ({
  ...{ observer, at: at(0), run: at(-60), about: primary, epoch: epoch(7), findings: [...findings], positions: [] },
  lease: { version: 41, unchangedSeconds: 0 },
  ...change,
});
const deciding = (votes: readonly Vote[], change: Partial<Situation> = {}): Decision =>
  decide({ operations, record: led(), votes, hold: undefined, now: secondsLater(0), ...change });
const down = [unhealthy('region', 34)];
const bothSeeItDown = [vote(primary), vote(standby, [unhealthy('region', 40, 'refused')]), vote(tertiary, down)];

describe('two of three observers that agree', () => {
  it('move the Region, with the evidence and a plan for the next epoch', () => {
    expect(deciding(bothSeeItDown)).toEqual({
      action: 'move',
      trigger: 'region',
      says: 'us-east-1 unreachable: 2 of 3 unhealthy for 34 s: eu-west-1 timeout after 2 s, us-west-2 refused',
      plan: {
        kind: 'failover',
        from: primary,
        to: standby,
        epoch: 8,
        requestedBy: 'codeblue',
        reason: 'us-east-1 unreachable: 2 of 3 unhealthy for 34 s: eu-west-1 timeout after 2 s, us-west-2 refused',
        requestedAt: at(0),
        // 40 s ago the third failed probe turned it; the first came two probes before.
        outageSince: at(-50),
        needsApproval: true,
        databases: [
          { databaseId: 'hms', lossBudgetSeconds: 900 },
          { databaseId: 'billing', lossBudgetSeconds: 86_400 },
        ],
      },
    });
  });

  it.each([
    ['the database', [unhealthy('database/hms', 34)], 'database/hms', 'database hms in us-east-1: 2 of 3 unhealthy for 34 s'],
    [
      'as many critical services as the config says',
      [unhealthy('service/orders', 34, '503'), unhealthy('service/patients', 50, 'refused')],
      'critical-services',
      'critical services of us-east-1: 2 of 3 unhealthy for 34 s: eu-west-1 2 (patients refused; orders 503)',
    ],
  ])('may agree on %s', (_, findings, trigger, says) => {
    expect(deciding([vote(primary), vote(standby, findings), vote(tertiary, findings)])).toMatchObject({
      action: 'move',
      trigger,
      says: expect.stringContaining(says),
    });
  });

  it('may include the one in the troubled Region', () => {
    expect(deciding([vote(primary, down), vote(standby, down), vote(tertiary)]).action).toBe('move');
  });
});

const stays: readonly (readonly [string, readonly Vote[], string])[] = [
  ['nobody sees anything', [vote(primary), vote(standby), vote(tertiary)], 'us-east-1 stays: 3 of 3 see nothing wrong'],
  ['one observer alone sees it', [vote(primary), vote(standby, down), vote(tertiary)], '1 of 3 unhealthy for 34 s: us-west-2 timeout'],
  ['the troubled Region alone says so', [vote(primary, down)], '1 of 3 unhealthy'],
  ['one of two has seen it too briefly', [vote(standby, down), vote(tertiary, [unhealthy('region', 29)])], 'two must agree for 30 s'],
  ['one of the votes is stale', [vote(standby, down, { at: at(-31), run: at(-90) }), vote(tertiary, down)], '1 of 3 unhealthy'],
  ['one of the votes is out of the future', [vote(standby, down, { at: at(6) }), vote(tertiary, down)], '1 of 3 unhealthy'],
  ['one of the votes is about an earlier epoch', [vote(standby, down, { epoch: epoch(6) }), vote(tertiary, down)], '1 of 3'],
  ['one of the votes is about another Region', [vote(standby, down, { about: standby }), vote(tertiary, down)], '1 of 3'],
  ['one observer votes twice', [vote(tertiary, down), vote(tertiary, down, { run: at(-30), at: at(-1) })], '1 of 3 unhealthy'],
  ['they see different things', [vote(standby, down), vote(tertiary, [unhealthy('database/hms', 34)])], '1 of 3 unhealthy'],
  [
    'they see different databases',
    [vote(standby, [unhealthy('database/billing', 34)]), vote(tertiary, [unhealthy('database/hms', 34)])],
    '1 of 3 unhealthy',
  ],
  [
    'too few critical services are ill, and others do not count',
    [standby, tertiary].map((observer) => vote(observer, [unhealthy('service/orders', 90), unhealthy('service/imaging', 90)])),
    '2 of 3 were heard and see nothing wrong',
  ],
  [
    'the services were not ill at once for long enough',
    [standby, tertiary].map((observer) => vote(observer, [unhealthy('service/orders', 90), unhealthy('service/patients', 10)])),
    'two must agree',
  ],
  [
    'nobody can look',
    [standby, tertiary].map((observer) => vote(observer, [{ ...unhealthy('database/hms', 90), status: 'unknown' }])),
    'see nothing wrong',
  ],
];

describe('the Region stays where it is when', () => {
  it.each(stays)('%s', (_, votes, says) => {
    expect(deciding(votes)).toEqual({ action: 'stay', says: expect.stringContaining(says) });
  });

  it('the trigger is turned off', () => {
    const off = { ...policy.triggers, regionUnreachable: false, databaseUnhealthy: false, criticalServicesUnhealthy: null };
    const quiet = testOperations({ failover: { ...policy, triggers: off } });
    const all = [...down, unhealthy('database/hms', 60), unhealthy('service/orders', 60), unhealthy('service/patients', 60)];
    expect(deciding([vote(standby, all), vote(tertiary, all)], { operations: quiet }).action).toBe('stay');
    expect(deciding([vote(standby, all), vote(tertiary, all)]).action).toBe('move');
  });

  it('people hold it, until they do not', () => {
    const hold = { until: at(60), by: 'alice', reason: 'network work', at: at(-60) };
    expect(deciding(bothSeeItDown, { hold })).toEqual({
      action: 'stay',
      says: expect.stringContaining('alice holds it until 2026-11-21T12:01:00.000Z (network work); us-east-1 unreachable: 2 of 3'),
    });
    expect(deciding(bothSeeItDown, { hold: { ...hold, until: at(0) } }).action).toBe('move');
  });

  it('leadership has just changed', () => {
    expect(deciding(bothSeeItDown, { record: led({ changedAt: at(-1799) }) })).toEqual({
      action: 'stay',
      says: expect.stringContaining('leadership changed 29 min 59 s ago, and rests for 30 min'),
    });
    expect(deciding(bothSeeItDown, { record: led({ changedAt: at(-1800) }) }).action).toBe('move');
  });

  it('somebody has just refused', () => {
    const refusal = { hash: 'ab'.repeat(32), answer: 'rejected' as const, by: 'alice', at: at(-60) };
    expect(deciding(bothSeeItDown, { refusal })).toEqual({ action: 'stay', says: expect.stringContaining('alice said no') });
    expect(deciding(bothSeeItDown, { refusal: { ...refusal, at: at(-1800) } }).action).toBe('move');
    expect(deciding(bothSeeItDown, { refusal: { ...refusal, answer: 'approved' } }).action).toBe('move');
  });

  it('nothing is heard of the Region that would take over', () => {
    const votes = [vote(primary, down), vote(tertiary, down)];
    expect(deciding(votes)).toEqual({ action: 'stay', says: expect.stringContaining('nothing is heard of us-west-2') });
  });

  it('no Region could take over', () => {
    const [database, ...others] = operations.databases;
    if (!database) throw new Error('the fixture has a database');
    const { replica: _, ...alone } = database;
    const without = testOperations({ databases: [alone, ...others] });
    expect(deciding(bothSeeItDown, { operations: without })).toEqual({ action: 'stay', says: expect.stringContaining('no other Region') });
  });

  it('failover is off', () => {
    const off = testOperations({ failover: { ...policy, mode: 'off' } });
    expect(deciding(bothSeeItDown, { operations: off })).toEqual({ action: 'stay', says: 'us-east-1 stays: failover.mode is off' });
  });
});

describe('a human is asked', () => {
  const approvalWanted = (mode: 'approve' | 'automatic', fenced: boolean) => {
    const decision = deciding(bothSeeItDown, {
      operations: testOperations({ failover: { ...policy, mode } }),
      record: led({ fenced }),
    });
    return decision.action === 'move' && decision.plan.needsApproval;
  };

  it('in mode approve, and always where not every table is fenced', () => {
    expect(approvalWanted('automatic', true)).toBe(false);
    expect(approvalWanted('automatic', false)).toBe(true);
    expect(approvalWanted('approve', true)).toBe(true);
  });
});

describe('what was begun', () => {
  it.each(['claimed', 'promoting'] as const)('is carried on while the record is %s, whatever the votes say', (phase) => {
    const record = led({ phase, epoch: epoch(8), holder: standby, plan: planned() });
    expect(deciding([], { record })).toEqual({ action: 'resume', says: `epoch 8 is ${phase} for us-west-2`, plan: planned() });
  });
});

describe('whatever the votes are', () => {
  const finding = fc.record({
    subject: fc.constantFrom('region', 'database/hms', 'service/orders'),
    status: fc.constantFrom('unhealthy' as const, 'unhealthy' as const, 'healthy' as const, 'unknown' as const),
    since: fc.constantFrom(-90, -61, -35, -29, 0, 10).map(at),
    contrary: fc.nat(3),
    says: fc.constant('x'),
  });
  const anyVote = fc
    .record({
      observer: fc.constantFrom(primary, standby, tertiary),
      at: fc.constantFrom(-31, -30, -10, 0, 0, 5, 6).map(at),
      about: fc.constantFrom(primary, primary, primary, standby),
      epoch: fc.constantFrom(epoch(7), epoch(7), epoch(7), epoch(6)),
      findings: fc.array(finding, { minLength: 1, maxLength: 4 }),
    })
    .map(({ observer, findings, ...change }) => vote(observer, findings, change));

  it('it takes two observers with a fresh vote for the present epoch, one of them where it would go; and there is a sentence', () => {
    let moved = 0;
    fc.assert(
      fc.property(fc.array(anyVote, { minLength: 2, maxLength: 6 }), (votes) => {
        const decision = deciding(votes);
        expect(decision.says.length).toBeGreaterThan(10);
        if (decision.action !== 'move') return;
        moved++;
        const fresh = votes.filter(
          ({ at: cast, about, epoch: e, findings }) =>
            about === primary && e === 7 && cast >= at(-30) && cast <= at(5) && findings.some(({ status }) => status === 'unhealthy'),
        );
        expect(new Set(fresh.map(({ observer }) => observer)).size).toBeGreaterThanOrEqual(2);
        expect(votes.some(({ observer, at: cast }) => observer === standby && cast >= at(-30))).toBe(true);
        expect(decision.plan).toMatchObject({ from: primary, to: standby, epoch: 8 });
      }),
      { numRuns: 5000 },
    );
    expect(moved).toBeGreaterThan(20);
  });
});
