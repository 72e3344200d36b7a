import { describe, expect, test } from 'vitest';
import { stepLists } from '../../functions/tasks.ts';
import { movableOperations } from '../support/failover-world.ts';
import { functionPolicies } from '../support/function-policies.ts';
import { synthesizedApp } from '../support/synthesized-app.ts';

const operations = movableOperations();
const app = synthesizedApp(operations);
const { primary, standby } = operations.regions;

/** Failback runs where the lead is and works where it was: what needs live databases needs those of both Regions, and nothing else of the other one. */
describe.each([
  { here: primary, there: standby },
  { here: standby, there: primary },
])('failback in $here', ({ here, there }) => {
  const names = stepLists.failback.map(({ name }) => name);
  const policies = functionPolicies(app.template(here)).filter(({ operation }) => names.includes(operation));
  const mayThere = (action: string) =>
    policies.flatMap(({ operation, statements }) =>
      statements.some(({ Action, Resource }) => Action.includes(action) && Resource.some((arn) => arn.includes(`:${there}:`)))
        ? [operation]
        : [],
    );

  test('has a function for each step', () => {
    expect(policies.map(({ operation }) => operation).sort()).toEqual([...names].sort());
  });

  test.each([
    ['secretsmanager:GetSecretValue', ['await-old-region', 'await-replica', 'list-lost-writes', 'prove-replica']],
    ['rds:CreateDBInstanceReadReplica', ['rebuild-old-region']],
    ['rds:ModifyDBInstance', ['rebuild-old-region']],
    ['rds:CreateDBSnapshot', ['keep-old-primary']],
    ['states:StartExecution', ['hand-over', 'await-hand-over']],
    ['rds:PromoteReadReplica', []],
    ['s3:PutObject', []],
    ['dynamodb:PutItem', []],
  ])('%s there is for %j', (action, steps) => {
    expect(mayThere(action).sort()).toEqual([...steps].sort());
  });
});
