import { expect, test } from 'vitest';
import { DatabaseId, Region, timestamp } from '../../../functions/common/ids.ts';
import { Epoch, type FailoverPlan } from '../../../functions/failover/models.ts';
import { planFacts, planTitle } from '../../../functions/failover/move/plan-words.ts';

const at = timestamp(new Date('2026-11-21T03:00:00.000Z'));
const here = Region.parse('us-east-1');
const plan: FailoverPlan = {
  ...{ kind: 'failover', from: here, to: Region.parse('us-west-2'), epoch: Epoch.parse(4), requestedBy: 'codeblue', reason: 'lost' },
  ...{ requestedAt: at, needsApproval: false, databases: [] },
};

test('a change is named by where it goes, a replacement by what is replaced, what is lost with it and what was found', () => {
  expect([planTitle(plan), planFacts(plan)]).toEqual(['Failover to us-west-2', 'failover from us-east-1 to us-west-2, epoch 4']);
  expect(planTitle({ ...plan, kind: 'switchover' })).toBe('Switchover to us-west-2');
  const replacement = { databaseId: DatabaseId.parse('hms'), restoredId: 'cbv-hms', restoredTo: at, verdict: '18 checks passed' };
  const replace: FailoverPlan = { ...plan, kind: 'replace', to: here, replacement };
  expect(planTitle(replace)).toBe('Replacement of hms in us-east-1');
  expect(planFacts(replace)).toBe(
    'the copy cbv-hms takes the place of hms in us-east-1, epoch 4; it shows 2026-11-21T03:00:00.000Z, and everything committed later is lost; 18 checks passed',
  );
});
