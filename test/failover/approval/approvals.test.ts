import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minutes } from '../../../functions/common/duration.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { askFor, judgeAnswer, objectionTo, questionHash } from '../../../functions/failover/approval/approvals.ts';
import { isListed, principalOf } from '../../../functions/failover/approval/principal.ts';
import type { ApprovalAnswer, ApprovalQuestion } from '../../../functions/failover/models.ts';
import { at, databaseIds, epoch, planned, secondsLater, start } from '../support.ts';

const account = '111122223333';
const user = (name: string) => `arn:aws:iam::${account}:user/${name}`;
const session = (role: string, name: string) => `arn:aws:sts::${account}:assumed-role/${role}/${name}`;
const policy = { by: [user('alice'), user('bob'), `arn:aws:iam::${account}:role/ops/OnCall`], expireAfter: minutes(30) };

const [databaseId] = databaseIds;
if (databaseId === undefined) throw new Error('the fixture has a database');
const question = (change: Partial<ApprovalQuestion> = {}): ApprovalQuestion => ({
  question: 'accept-loss',
  plan: planned({ requestedBy: user('alice') }),
  losses: [{ databaseId, provenSeconds: 40, atMostSeconds: 90, transactions: 1200, lastKnownAgeSeconds: 50, budgetSeconds: 60 }],
  ...change,
});
const answerTo = (asked: ApprovalQuestion, change: Partial<ApprovalAnswer> = {}): ApprovalAnswer => ({
  hash: questionHash(asked),
  answer: 'approved',
  by: user('bob'),
  at: at(60),
  ...change,
});
const judge = (asked: ApprovalQuestion, answer: ApprovalAnswer | undefined, now = secondsLater(65)) =>
  judgeAnswer(askFor(asked, policy, start), answer, policy, now);

describe('an approval', () => {
  it('counts when somebody who is listed and did not ask gives it in time', () => {
    expect(judge(question(), answerTo(question()))).toEqual({
      status: 'approved',
      says: `approved by ${user('bob')} at ${at(60)}`,
    });
    expect(judge(question(), answerTo(question(), { by: session('OnCall', 'carol') })).status).toBe('approved');
  });

  it('is waited for, and no longer than until the question expires', () => {
    expect(judge(question(), undefined).status).toBe('waiting');
    expect(judge(question(), undefined, secondsLater(1800)).status).toBe('expired');
  });

  it('cannot be given by the requester alone, under whatever name of theirs', () => {
    for (const [requestedBy, by] of [
      [user('alice'), user('alice')],
      [user('alice'), user('staff/Alice')],
      [session('OnCall', 'carol'), session('OnCall', 'dave')],
      [session('OnCall', 'carol'), `arn:aws:iam::${account}:role/ops/OnCall`],
    ] as const) {
      const asked = question({ plan: planned({ requestedBy }) });
      const judged = judge(asked, answerTo(asked, { by }));
      expect(judged).toMatchObject({ status: 'rejected', says: expect.stringContaining('own request') });
      expect(objectionTo(asked, { by, answer: 'approved' }, policy)).toBe(judged.says);
    }
  });

  it('cannot be given by somebody who is not listed, who cannot stop it either', () => {
    const by = user('mallory');
    expect(judge(question(), answerTo(question(), { by }))).toMatchObject({
      status: 'rejected',
      says: expect.stringContaining('not listed'),
    });
    expect(objectionTo(question(), { by, answer: 'rejected' }, policy)).toContain('not listed');
  });

  it('can be refused by whoever is listed, and withdrawn by whoever asked', () => {
    for (const by of [user('bob'), user('alice')]) {
      expect(objectionTo(question(), { by, answer: 'rejected' }, { by: [user('bob')] })).toBeUndefined();
      expect(judge(question(), answerTo(question(), { by, answer: 'rejected' }))).toEqual({
        status: 'rejected',
        says: `rejected by ${by} at ${at(60)}`,
      });
    }
  });

  it('is worth nothing after the expiry, whether given or acted on too late', () => {
    fc.assert(
      fc.property(fc.nat(7200), fc.nat(7200), (given, delay) => {
        const judged = judge(question(), answerTo(question(), { at: at(given) }), secondsLater(given + delay));
        expect(judged.status).toBe(given + delay < 1800 ? 'approved' : 'expired');
      }),
    );
    expect(judge(question(), answerTo(question(), { at: timestamp(secondsLater(1800)) }), secondsLater(100)).status).toBe('expired');
  });

  it('cannot be replayed: any other plan, epoch, question or figure is another question', () => {
    const plan = fc.record(
      {
        epoch: fc.integer({ min: 8, max: 12 }).map(epoch),
        kind: fc.constantFrom('failover' as const, 'switchover' as const),
        requestedAt: fc.nat(100).map(at),
        reason: fc.constantFrom('a', 'b'),
      },
      { requiredKeys: [] },
    );
    const other = fc.record({
      question: fc.constantFrom('accept-loss' as const, 'old-primary-is-off' as const, 'start' as const),
      plan: plan.map((change) => planned({ requestedBy: user('alice'), ...change })),
      losses: fc.array(
        fc.record({
          databaseId: fc.constant(databaseId),
          provenSeconds: fc.nat(50),
          atMostSeconds: fc.nat(100),
          transactions: fc.nat(2000),
          lastKnownAgeSeconds: fc.nat(60),
          budgetSeconds: fc.constant(60),
        }),
        { maxLength: 2 },
      ),
    });
    fc.assert(
      fc.property(fc.tuple(other, other), ([asked, answered]) => {
        const same = JSON.stringify(sorted(asked)) === JSON.stringify(sorted(answered));
        expect(judge(asked, answerTo(answered)).status).toBe(same ? 'approved' : 'rejected');
        // The stored request of another question under the hash of this one is found out as well.
        if (!same) {
          const forged = { ...askFor(asked, policy, start), question: answered };
          expect(judgeAnswer(forged, answerTo(asked), policy, secondsLater(65)).status).toBe('rejected');
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The same with every key in order, so that comparing text compares values. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

describe('who stands behind a caller', () => {
  it.each([
    ['a role under all its sessions', session('OnCall', 'alice'), session('oncall', 'bob')],
    ['a role and its session', `arn:aws:iam::${account}:role/ops/OnCall`, session('OnCall', 'bob')],
    ['a user with and without its path', user('alice'), user('staff/ALICE')],
    ['federated users, who name themselves', `arn:aws:sts::${account}:federated-user/a`, `arn:aws:sts::${account}:federated-user/b`],
    ['a name in the lab', 'alice', ' Alice '],
  ])('is one: %s', (_, a, b) => {
    expect(principalOf(a)).toBe(principalOf(b));
  });

  it.each([
    ['two users', user('alice'), user('bob')],
    ['a user and a role of one name', user('alice'), `arn:aws:iam::${account}:role/alice`],
    ['one name in two accounts', user('alice'), 'arn:aws:iam::999988887777:user/alice'],
    [
      'two people whom IAM Identity Center signed in',
      session('AWSReservedSSO_Ops_1a2b', 'alice'),
      session('AWSReservedSSO_Ops_1a2b', 'bob'),
    ],
    ['two names in the lab', 'alice', 'bob'],
  ])('is two: %s', (_, a, b) => {
    expect(principalOf(a)).not.toBe(principalOf(b));
  });

  it('is found in a list by name, by role, and by a beginning', () => {
    const sso = session('AWSReservedSSO_Ops_1a2b', 'alice@hospital.example');
    expect(isListed(sso, [`arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_1a2b`])).toBe(true);
    expect(isListed(sso, [sso])).toBe(true);
    expect(isListed(sso, [session('AWSReservedSSO_Ops_1a2b', 'bob@hospital.example')])).toBe(false);
    expect(isListed(sso, [`arn:aws:sts::${account}:assumed-role/AWSReservedSSO_Ops_*`])).toBe(true);
    expect(isListed(session('OnCall', 'x'), [`arn:aws:iam::${account}:role/On*`])).toBe(true);
    expect(isListed(user('onlooker'), [`arn:aws:iam::${account}:role/On*`, user('on')])).toBe(false);
    expect(isListed('alice', ['alice'])).toBe(true);
    expect(isListed('alicia', ['alice'])).toBe(false);
    expect(isListed('anybody', [])).toBe(false);
  });
});
