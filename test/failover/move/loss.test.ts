import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LastKnown, Position, Vote } from '../../../functions/failover/models.ts';
import { closedPositions, estimateLoss, isWithinBudget, lastKnownPositions } from '../../../functions/failover/move/loss.ts';
import { at, databaseIds, epoch, planned, policy, primary, secondsLater, standby, tertiary } from '../support.ts';

const [databaseId] = databaseIds;
if (!databaseId) throw new Error('no database');
const database = { databaseId, lossBudgetSeconds: 60 };

/** The primary writes a canary each second, and ten transactions with each. */
const position = (second: number): Position => ({ canary: { seq: second, writtenAt: at(second) }, transactions: second * 10 });
const known = (second: number, change: Partial<LastKnown> = {}): LastKnown => ({
  ...{ databaseId, position: position(second), at: at(second), ageSeconds: 10, openSeconds: 20 },
  ...change,
});

describe('what is lost', () => {
  test('a replica 3 s behind what was read 20 s before the lease ended: 3 s for certain, 23 s at most', () => {
    expect(estimateLoss(database, position(97), known(100))).toEqual({
      ...{ databaseId, provenSeconds: 3, atMostSeconds: 23, transactions: 30, lastKnownAgeSeconds: 10, budgetSeconds: 60 },
    });
  });

  test('a replica that has everything that is known loses at most what came afterwards', () => {
    expect(estimateLoss(database, position(100), known(100))).toMatchObject({ provenSeconds: 0, atMostSeconds: 20, transactions: 0 });
  });

  test('nothing, when the old primary closed and the replica has all of it', () => {
    const [closed] = closedPositions({
      region: primary,
      epoch: epoch(8),
      at: at(100),
      databases: [{ databaseId, position: position(100) }],
    });
    expect(estimateLoss(database, position(100), closed)).toMatchObject({ atMostSeconds: 0, transactions: 0 });
  });

  test('nobody can tell without a last known position: it is over any budget', () => {
    const loss = estimateLoss({ ...database, lossBudgetSeconds: Number.MAX_SAFE_INTEGER }, position(100), undefined);
    expect(isWithinBudget(loss)).toBe(false);
  });

  test('nobody can tell when something is missing and there is no canary to date it by', () => {
    const loss = estimateLoss(database, { transactions: 970 }, known(100, { openSeconds: 0 }));
    expect(loss.transactions).toBe(30);
    expect(isWithinBudget(loss)).toBe(false);
  });

  test('writes between two canaries count: one that the replica lacks is dated by the moment in which it was seen', () => {
    const seen = known(100, { position: { ...position(100), transactions: 1005 }, at: at(104), openSeconds: 0 });
    expect(estimateLoss(database, position(100), seen)).toMatchObject({ provenSeconds: 0, transactions: 5, atMostSeconds: 4 });
  });

  test('the figures never fall below what is proven, nor when more is missing or was open for longer', () => {
    const seconds = fc.integer({ min: 0, max: 5_000 });
    fc.assert(
      fc.property(seconds, seconds, seconds, seconds, (has, behind, open, more) => {
        const loss = estimateLoss(database, position(has), known(has + behind, { openSeconds: open }));
        const longer = estimateLoss(database, position(has), known(has + behind, { openSeconds: open + more }));
        const further = estimateLoss(database, position(has), known(has + behind + more, { openSeconds: open }));
        expect(loss.provenSeconds).toBe(behind);
        expect(loss.atMostSeconds).toBeGreaterThanOrEqual(loss.provenSeconds);
        expect(loss.atMostSeconds).toBeGreaterThanOrEqual(behind + open);
        expect(longer.atMostSeconds).toBe(loss.atMostSeconds + more);
        expect(further.atMostSeconds).toBeGreaterThanOrEqual(loss.atMostSeconds);
      }),
    );
  });
});

describe('the last that is known of the old primary', () => {
  const facts = { lease: policy.lease, claimedVersion: 41, claimedAt: secondsLater(100), fenceWaitSeconds: 25 };
  const vote = (change: Partial<Vote> = {}): Vote => ({
    ...{ observer: standby, at: at(98), run: at(0), about: primary, epoch: epoch(7), findings: [] },
    positions: [{ databaseId, position: position(60), at: at(60) }],
    lease: { version: 41, unchangedSeconds: 30 },
    ...change,
  });
  const knownBy = (...votes: readonly Vote[]) => lastKnownPositions(votes, planned(), facts);

  test('the lease that an observer saw unrenewed for 30 s ended 10 s ago: writes were possible for 28 s after the position', () => {
    // Renewed before second 68, for 20 s.
    expect(knownBy(vote())).toEqual([{ databaseId, position: position(60), at: at(60), ageSeconds: 40, openSeconds: 28 }]);
  });

  test('an observer of another version cannot tell: until the end of the wait, and the margin for two clocks', () => {
    expect(knownBy(vote({ lease: { version: 40, unchangedSeconds: 30 } }))).toMatchObject([{ openSeconds: 100 + 25 + 5 - 60 }]);
  });

  test('an execution that took over does not know the version', () => {
    expect(lastKnownPositions([vote()], planned(), { ...facts, claimedVersion: undefined })).toMatchObject([{ openSeconds: 70 }]);
  });

  test('of two observers the one that saw more counts, in either order', () => {
    const [older, newer] = [vote(), vote({ observer: tertiary, positions: [{ databaseId, position: position(66), at: at(66) }] })];
    expect(knownBy(older, newer)).toMatchObject([{ position: position(66) }]);
    expect(knownBy(newer, older)).toMatchObject([{ position: position(66) }]);
  });

  test('a position from before the primary was opened is of the database that it took the place of', () => {
    const since = { ...planned(), primarySince: epoch(7) };
    expect(lastKnownPositions([vote({ epoch: epoch(6) })], since, facts)).toEqual([]);
    expect(lastKnownPositions([vote({ epoch: epoch(7) })], since, facts)).toHaveLength(1);
  });

  test('positions of another Region, or of a later epoch, say nothing of it', () => {
    expect(knownBy(vote({ about: standby }))).toEqual([]);
    expect(knownBy(vote({ epoch: epoch(9) }))).toEqual([]);
  });

  test('a vote for the Region while it is being claimed counts: the observers still look there', () => {
    expect(knownBy(vote({ epoch: epoch(8), lease: { version: 42, unchangedSeconds: 3 } }))).toHaveLength(1);
  });

  test('the time in which it was open is never negative', () => {
    expect(knownBy(vote({ lease: { version: 41, unchangedSeconds: 500 } }))).toMatchObject([{ openSeconds: 0 }]);
  });
});
