import { describe, expect, it } from 'vitest';
import { incidentRules } from '../../config/incident-rules.ts';
import { hours } from '../../functions/common/duration.ts';
import type { AutomatedRunbook } from '../../functions/common/incident-policy.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { aRunbook, restartOrders, runbookOperations } from '../support/runbook-world.ts';

const problems = (runbook: AutomatedRunbook, change: Partial<Operations> = {}) =>
  incidentRules({ ...runbookOperations(runbook), ...change }).map(({ path, wanted }) => `${path}: ${wanted}`);

describe('automated runbooks in the config', () => {
  it('are fine as they should be', () => expect(problems(restartOrders)).toEqual([]));
  it.each([
    ['names a capacity that there is not', aRunbook({ kind: 'restart-service', capacity: 'ordres-api' }), 'one of failover.capacity'],
    ['names a database that there is not', aRunbook({ kind: 'emergency-backup', database: 'hsm' }), 'one of databases'],
    [
      'enlarges what grows by itself',
      aRunbook({ kind: 'enlarge-storage', database: 'billing', byPercent: 20, atMostGigabytes: 500 }),
      'a database of RDS',
    ],
    ['scales out to what runs anyway', aRunbook({ kind: 'scale-out', capacity: 'orders-api', by: 2, atMost: 4 }), 'more than 4'],
    ['waits for longer than an execution can look', aRunbook(restartOrders.action, { helpsWithin: hours(7) }), 'at most 6 h'],
    ['counts tries for longer than they are kept', aRunbook(restartOrders.action, { guard: { per: hours(24 * 31) } }), 'at most 30 d'],
  ])('one that %s is refused', (_, runbook, wanted) => {
    expect(problems(runbook)).toEqual([expect.stringContaining(wanted)]);
  });
  it('cannot ask a human where answers are not kept', () => {
    const asking = aRunbook(restartOrders.action, { guard: { approval: true } });
    const { failover } = runbookOperations(asking);
    expect(problems(asking)).toEqual([]);
    expect(problems(asking, { failover: { ...failover, mode: 'off' } })).toEqual([
      expect.stringContaining('false while failover.mode is off'),
    ]);
  });
});
