import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { Region, Timestamp } from '../../functions/common/ids.ts';
import {
  type ApprovalRequest,
  type Containment,
  CoordinationRecord,
  Epoch,
  FailoverPlan,
  type FenceReceipt,
  type Hold,
  type Vote,
} from '../../functions/failover/models.ts';
import type { Coordination } from '../../functions/failover/ports.ts';

const home = Region.parse('us-east-1');
const away = Region.parse('us-west-2');
const third = Region.parse('eu-west-1');
const at = Timestamp.parse('2026-11-21T07:00:00.000Z');
const later = Timestamp.parse('2026-11-21T07:00:05.000Z');

const first = CoordinationRecord.parse({
  epoch: 1,
  holder: home,
  phase: 'active',
  leaseUntil: later,
  fenced: true,
  changedAt: at,
  version: 0,
});

const plan = FailoverPlan.parse({
  kind: 'failover',
  from: home,
  to: away,
  epoch: 2,
  requestedBy: 'codeblue',
  reason: '2 of 3 unhealthy for 34 s',
  requestedAt: at,
  needsApproval: true,
  databases: [{ databaseId: 'hms', lossBudgetSeconds: 300 }],
});

const vote = (observer: Region, castAt = at): Vote => ({
  observer,
  at: castAt,
  run: at,
  about: home,
  epoch: Epoch.parse(1),
  findings: [{ subject: 'region', status: 'unhealthy', since: at, contrary: 0, says: 'timeout after 2 s' }],
  positions: [],
  lease: { version: 3, unchangedSeconds: 12.5 },
});

const request = (hash: string): ApprovalRequest => ({
  hash: hash.repeat(64),
  question: { question: 'start', plan, losses: [] },
  askedAt: at,
  expiresAt: later,
});

/** What every table of who leads must do. */
export function coordinationContract(makePort: () => Promise<Coordination>): void {
  describe('coordination', () => {
    let coordination: Coordination;
    beforeEach(async () => {
      coordination = await makePort();
    });

    it('has no record before the first, and one first record', async () => {
      expect(await coordination.read()).toBeUndefined();
      expect(await coordination.peek()).toBeUndefined();
      await coordination.create(first);
      expect(await coordination.read()).toEqual(first);
      await expect(coordination.create({ ...first, holder: away })).rejects.toThrow(Conflict);
      expect(await coordination.read()).toEqual(first);
    });

    it('replaces the version that the writer read, and raises it', async () => {
      await coordination.create(first);
      const stored = await coordination.replace({ ...first, leaseUntil: later, plan });
      expect(stored).toEqual({ ...first, leaseUntil: later, plan, version: 1 });
      expect(await coordination.read()).toEqual(stored);
      expect(await coordination.peek()).toEqual(stored);
    });

    it('lets one of two writers win who read the same version', async () => {
      await coordination.create(first);
      const claims = await Promise.allSettled(
        [home, away].map((holder) => coordination.replace({ ...first, epoch: Epoch.parse(2), holder, phase: 'claimed', plan })),
      );
      expect(claims.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const lost = claims.find((claim) => claim.status === 'rejected');
      expect(lost?.reason).toBeInstanceOf(Conflict);
      const won = claims.find((claim) => claim.status === 'fulfilled');
      expect(await coordination.read()).toEqual(won?.value);
    });

    it('refuses to replace what is not there', async () => {
      await expect(coordination.replace(first)).rejects.toThrow(Conflict);
      expect(await coordination.read()).toBeUndefined();
    });

    it('keeps the newest vote of each observer', async () => {
      expect(await coordination.votes()).toEqual([]);
      for (const observer of [home, away, third]) await coordination.castVote(vote(observer));
      await coordination.castVote(vote(away, later));
      const votes = await coordination.votes();
      expect(votes.toSorted((a, b) => (a.observer < b.observer ? -1 : 1))).toEqual([vote(third), vote(home), vote(away, later)]);
    });

    it('keeps receipts apart by Region and epoch', async () => {
      const receipt: FenceReceipt = {
        region: home,
        epoch: Epoch.parse(2),
        at,
        databases: [{ databaseId: plan.databases[0]?.databaseId ?? never(), position: { transactions: 7 } }],
      };
      await coordination.putReceipt(receipt);
      await coordination.putReceipt({ ...receipt, at: later });
      expect(await coordination.receipt(home, receipt.epoch)).toEqual({ ...receipt, at: later });
      expect(await coordination.receipt(away, receipt.epoch)).toBeUndefined();
      expect(await coordination.receipt(home, Epoch.parse(3))).toBeUndefined();
    });

    it('finds the first request when the same question is asked again', async () => {
      expect(await coordination.ask(request('a'))).toEqual(request('a'));
      expect(await coordination.ask({ ...request('a'), expiresAt: at })).toEqual(request('a'));
      await coordination.ask(request('b'));
      const requests = await coordination.requests();
      expect(requests.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))).toEqual([request('a'), request('b')]);
    });

    it('counts the first answer to a question', async () => {
      const approved = { hash: 'a'.repeat(64), answer: 'approved', by: 'alice', at } as const;
      expect(await coordination.answerTo(approved.hash)).toBeUndefined();
      expect(await coordination.answer(approved)).toEqual(approved);
      expect(await coordination.answer({ ...approved, answer: 'rejected', by: 'bob' })).toEqual(approved);
      expect(await coordination.answerTo(approved.hash)).toEqual(approved);
      expect(await coordination.answerTo('b'.repeat(64))).toBeUndefined();
    });

    it('holds and lets go, and letting go twice is no error', async () => {
      const hold: Hold = { until: later, by: 'alice', reason: 'storage maintenance', at };
      expect(await coordination.hold()).toBeUndefined();
      await coordination.putHold(hold);
      expect(await coordination.hold()).toEqual(hold);
      await coordination.putHold(undefined);
      await coordination.putHold(undefined);
      expect(await coordination.hold()).toBeUndefined();
    });

    it('keeps a containment apart from the hold', async () => {
      const containment: Containment = { breachId: 'breach-20261121t070000z', by: 'alice', since: at };
      expect(await coordination.containment()).toBeUndefined();
      await coordination.putContainment(containment);
      await coordination.putHold(undefined);
      expect(await coordination.containment()).toEqual(containment);
      await coordination.putContainment(undefined);
      await coordination.putContainment(undefined);
      expect(await coordination.containment()).toBeUndefined();
    });
  });
}

function never(): never {
  throw new Error('the plan names no database');
}
