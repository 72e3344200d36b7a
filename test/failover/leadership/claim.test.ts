import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activate, claim, commitPromotion, finish, rollBack, type Transition } from '../../../functions/failover/leadership/claim.ts';
import type { Commitment, CoordinationRecord, FailoverPlan } from '../../../functions/failover/models.ts';
import { at, databaseIds, epoch, led, planned, primary, secondsLater, standby } from '../support.ts';

const [hms] = databaseIds;
if (hms === undefined) throw new Error('the fixture has a database');
const firstLease = { leaseUntil: at(80), fenced: true };
const measured = (plan: FailoverPlan): Commitment => ({
  plan,
  fenced: 'by-expiry',
  losses: [{ databaseId: hms, provenSeconds: 3, atMostSeconds: 23, transactions: 12, lastKnownAgeSeconds: 20, budgetSeconds: 60 }],
});
const moves = {
  claim: (record: CoordinationRecord, plan: FailoverPlan) => claim(record, plan),
  commit: (record: CoordinationRecord, plan: FailoverPlan) => commitPromotion(record, measured(plan)),
  activate: (record: CoordinationRecord, plan: FailoverPlan) => activate(record, plan, firstLease, secondsLater(60)),
  finish: (record: CoordinationRecord, plan: FailoverPlan) => finish(record, plan),
  rollBack: (record: CoordinationRecord, plan: FailoverPlan) => rollBack(record, plan, secondsLater(60)),
};

/** What the transition writes, as the table would store it. */
function written(transition: Transition): CoordinationRecord {
  if (transition.kind !== 'write') throw new Error(`nothing is written: ${JSON.stringify(transition)}`);
  return { ...transition.record, version: transition.record.version + 1 };
}
const refusals = (record: CoordinationRecord, plan: FailoverPlan) =>
  Object.entries(moves).flatMap(([name, move]) => (move(record, plan).kind === 'refused' ? [name] : []));

const claimed = written(claim(led(), planned()));
const promoting = written(moves.commit(claimed, planned()));
const active = written(moves.activate(promoting, planned()));

describe('the coordination record', () => {
  it('goes from one holder to the next by claim, commitment and activation', () => {
    expect(claimed).toEqual({ ...led(), epoch: 8, holder: standby, phase: 'claimed', plan: planned(), version: 42 });
    const committed = measured(planned());
    expect(promoting).toEqual({ ...claimed, phase: 'promoting', committed, version: 43 });
    const leads = { ...led(), epoch: 8, holder: standby, phase: 'active', leaseUntil: at(80), primarySince: 8, changedAt: at(60) };
    expect(active).toEqual({ ...leads, committed, version: 44 });
    expect(written(finish(active, planned()))).toEqual({ ...leads, version: 45 });
  });

  it('keeps what was measured at the commitment until the change is finished, or there is a later one', () => {
    const next = planned({ from: standby, to: primary, epoch: epoch(9) });
    expect(written(claim(active, next))).toEqual({
      ...led(),
      epoch: 9,
      holder: primary,
      phase: 'claimed',
      plan: next,
      leaseUntil: at(80),
      primarySince: 8,
      changedAt: at(60),
      version: 45,
    });
    for (const record of [led(), claimed, promoting, written(finish(active, planned())), written(claim(active, next))])
      expect(finish(record, planned())).toEqual({ kind: 'already' });
    expect(finish(active, next)).toEqual({ kind: 'already' });
  });

  it('goes back before the commitment, in an epoch of its own, and rests for the cool-down', () => {
    const back = written(moves.rollBack(claimed, planned()));
    expect(back).toEqual({ ...led(), epoch: 9, holder: primary, changedAt: at(60), version: 43 });
  });

  it('finds a step that runs again where it left it', () => {
    expect(moves.claim(claimed, planned())).toEqual({ kind: 'already' });
    expect(moves.claim(promoting, planned())).toEqual({ kind: 'already' });
    expect(moves.commit(promoting, planned())).toEqual({ kind: 'already' });
    expect(moves.activate(written(moves.activate(promoting, planned())), planned())).toEqual({ kind: 'already' });
    expect(moves.rollBack(written(moves.rollBack(claimed, planned())), planned())).toEqual({ kind: 'already' });
  });

  it('is not rolled back once the promotion is committed, nor promoted after it was rolled back', () => {
    expect(moves.rollBack(promoting, planned())).toMatchObject({ kind: 'refused', because: expect.stringContaining('point of no return') });
    const back = written(moves.rollBack(claimed, planned()));
    expect(refusals(back, planned())).toEqual(['claim', 'commit', 'activate']);
  });

  it('is not activated without the commitment', () => {
    expect(moves.activate(claimed, planned())).toMatchObject({ kind: 'refused', because: expect.stringContaining('never committed') });
  });

  it.each([
    ['for the epoch that is', { epoch: epoch(7) }],
    ['for an epoch too far', { epoch: epoch(9) }],
    ['that takes it from another', { from: standby, to: primary }],
    ['that stays where it is', { to: primary }],
  ])('is not claimed by a plan %s', (_, change) => {
    expect(claim(led(), planned(change)).kind).toBe('refused');
  });

  it('holds one claim only: another plan for the same epoch can do nothing with it', () => {
    const other = planned({ requestedBy: 'alice' });
    expect(refusals(claimed, other)).toEqual(['claim', 'commit', 'activate', 'rollBack']);
    expect(refusals(promoting, other)).toEqual(['claim', 'commit', 'activate', 'rollBack']);
  });
});

describe('whatever is tried in whatever order, with plans old and new', () => {
  const plan = fc
    .record({
      from: fc.constantFrom(primary, standby),
      to: fc.constantFrom(primary, standby),
      epoch: fc.nat(6),
      requestedBy: fc.constantFrom('a', 'b'),
    })
    .map(({ epoch: e, ...rest }) => planned({ ...rest, epoch: epoch(e) }));
  const attempt = fc.record({ move: fc.constantFrom('claim', 'commit', 'activate', 'finish', 'rollBack'), plan });
  /** Random attempts alone seldom get past a claim: every other one takes the plan that the record is for, or would take. */
  const fitting = (record: CoordinationRecord): FailoverPlan =>
    record.plan ?? planned({ from: record.holder, to: record.holder === primary ? standby : primary, epoch: epoch(record.epoch + 1) });

  it('epochs only rise, no epoch has two holders, and promoting leads to active of its epoch alone', () => {
    let committed = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(attempt, fc.boolean()), { minLength: 20, maxLength: 40 }), (attempts) => {
        let record = led({ epoch: epoch(0), version: 0 });
        const holders = new Map([[record.epoch, record.holder]]);
        for (const [{ move, plan: drawn }, fits] of attempts) {
          const next = moves[move](record, fits ? fitting(record) : drawn);
          if (next.kind !== 'write') continue;
          expect(next.record.version).toBe(record.version);
          const after = written(next);
          expect(after.epoch).toBeGreaterThanOrEqual(record.epoch);
          if (after.holder !== record.holder) expect(after.epoch).toBeGreaterThan(record.epoch);
          expect(holders.get(after.epoch) ?? after.holder).toBe(after.holder);
          holders.set(after.epoch, after.holder);
          if (record.phase === 'promoting') expect([after.phase, after.epoch]).toEqual(['active', record.epoch]);
          if (after.phase === 'promoting') expect([record.phase, record.epoch]).toEqual(['claimed', after.epoch]);
          expect(after.plan === undefined).toBe(after.phase === 'active');
          if (after.committed) expect(after.committed.plan.epoch).toBe(after.epoch);
          if (record.phase === 'promoting') committed++;
          record = after;
        }
      }),
      { numRuns: 2000 },
    );
    expect(committed).toBeGreaterThan(100);
  });
});
