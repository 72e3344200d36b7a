import { describe, expect, it } from 'vitest';
import type { AutomatedRunbook } from '../../functions/common/incident-policy.ts';
import type { Need } from '../../functions/common/ports.ts';
import { grantsForAll } from '../../lib/shared/permissions.ts';
import { east } from '../support/failover-world.ts';
import { aRunbook, restartOrders, runbookOperations } from '../support/runbook-world.ts';

/** What runbooks may change, as `action resource`. */
function mayChange(need: Need, ...runbooks: readonly AutomatedRunbook[]): readonly string[] {
  const scope = {
    operations: runbookOperations(...runbooks),
    region: east,
    role: 'primary' as const,
    proofKeyArn: undefined,
    linkKeyArn: undefined,
    taskNames: [],
  };
  const before = new Set(grantsForAll([], scope).map((each) => JSON.stringify(each)));
  return grantsForAll([need], scope)
    .filter((each) => !before.has(JSON.stringify(each)))
    .flatMap(({ actions, resources }) =>
      actions.flatMap((action) => resources.map((resource) => `${action} ${resource.split(':').at(-1)}`)),
    )
    .filter((line) => !/:(Describe|List)/.test(line));
}

describe('what automated runbooks may change', () => {
  it('is what they act on, and nothing where there are none', () => {
    const service = 'ecs:UpdateService service/hms/orders-api';
    expect(mayChange('runbooks:restart', restartOrders)).toEqual([service]);
    expect(mayChange('runbooks:scale-out', restartOrders)).toEqual([]);
    const wide = aRunbook({ kind: 'scale-out', capacity: 'orders-api', by: 2, atMost: 9 });
    expect(mayChange('runbooks:scale-out', wide)).toEqual([service]);
    expect(mayChange('runbooks:restart', wide)).toEqual([]);
    const grow = aRunbook({ kind: 'enlarge-storage', database: 'hms', byPercent: 20, atMostGigabytes: 500 });
    expect(mayChange('runbooks:enlarge-storage', grow)).toEqual(['rds:ModifyDBInstance hms-primary']);
    expect(mayChange('runbooks:enlarge-storage', restartOrders)).toEqual([]);
    for (const need of ['runbooks:record', 'alarm-states:read'] as const) expect(mayChange(need, restartOrders)).toEqual([]);
  });
  it('is started by its own machine’s name alone', () => {
    expect(mayChange('runbooks:start', restartOrders).filter((line) => line.startsWith('states:'))).toEqual([
      'states:StartExecution hms-codeblue-run-runbook',
    ]);
  });
});
