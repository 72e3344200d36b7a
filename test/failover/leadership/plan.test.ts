import { describe, expect, test } from 'vitest';
import { planFailover } from '../../../functions/failover/leadership/plan.ts';
import { east, movableOperations, tertiary, west } from '../../support/failover-world.ts';
import { epoch, led, planned, start } from '../support.ts';

const request = {
  ...{ operations: movableOperations(), record: led(), kind: 'failover' as const, to: west },
  ...{ requestedBy: 'alice', reason: 'the Region is gone', now: start, needsApproval: false },
};
const withoutReplica = { ...request.operations, databases: request.operations.databases.map(({ replica: _, ...database }) => database) };
const refusal = (change: Partial<typeof request>): string => {
  const planning = planFailover({ ...request, ...change });
  return planning.kind === 'refused' ? planning.because : 'planned';
};

describe('a plan that somebody asks for', () => {
  test('is for the next epoch, from the Region that leads, with the budgets of a lost Region', () => {
    expect(planFailover(request)).toMatchObject({
      kind: 'plan',
      plan: { from: east, to: west, epoch: 8, requestedBy: 'alice', needsApproval: false, databases: [{ lossBudgetSeconds: 900 }, {}] },
    });
  });

  test('when nothing may be lost has no budget to lose', () => {
    expect(planFailover({ ...request, kind: 'switchover' })).toMatchObject({
      plan: { databases: [{ lossBudgetSeconds: 0 }, { lossBudgetSeconds: 0 }] },
    });
  });

  test('wants a human where the fence is not complete, whoever says that none is needed', () => {
    expect(planFailover({ ...request, record: led({ fenced: false }) })).toMatchObject({ plan: { needsApproval: true } });
  });

  test.each([
    ['to where the lead is', { to: east }, /leads already/],
    ['to a Region without replicas', { to: tertiary }, /cannot lead.*us-east-1, us-west-2 can/],
    ['while another change is under way', { record: led({ phase: 'claimed', epoch: epoch(8), plan: planned() }) }, /one change at a time/],
    ['in a deployment that does not move', { operations: movableOperations({ mode: 'off' }) }, /mode is off/],
    ['where not every database has a replica', { operations: withoutReplica }, /no Region can|cannot lead/],
  ])('%s is refused', (_, change, because) => {
    expect(refusal(change)).toMatch(because);
  });

  test('before anybody led is refused', () => {
    const { record: _, ...rest } = request;
    expect(planFailover({ ...rest, record: undefined })).toMatchObject({ kind: 'refused' });
  });
});
