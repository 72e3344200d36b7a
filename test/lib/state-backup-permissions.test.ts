import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { functionPolicies } from '../support/function-policies.ts';
import { resourcesOf, synthesizedApp } from '../support/synthesized-app.ts';

const app = synthesizedApp();
const { primary, standby, tertiary } = app.operations.regions;
const log = 'hms-codeblue-audit-log';
const replicated = ['hms-codeblue-state', 'hms-codeblue-audit-events'];

/** Where each Region stands, and the tables that are backed up there. */
const places = [
  [primary, [...replicated, log]],
  [standby, [...replicated, log]],
  [tertiary, [log]],
] as const;

const tablesOf = (region: string, resources: readonly string[]) =>
  resources.map((arn) => {
    const [, table] = /^arn:aws:dynamodb:([a-z0-9-]+:111122223333:table\/.+?)(\/backup\/\*)?$/.exec(arn) ?? [];
    return table?.replace(`${region}:111122223333:table/`, '') ?? arn;
  });
const statementsOf = (region: string, operation: string) =>
  functionPolicies(app.template(region)).flatMap((policy) => (policy.operation === operation ? policy.statements : []));
/** Tables that the function may do that to; what lies in another Region keeps its whole name. */
const reach = (region: string, operation: string, action: string) =>
  tablesOf(
    region,
    statementsOf(region, operation)
      .filter(({ Action }) => Action.includes(action))
      .flatMap(({ Resource }) => Resource),
  ).sort();

describe.each(places)("backups of Codeblue's own tables in %s", (region, tables) => {
  test('are of the tables that are backed up there, and each task names its own', () => {
    for (const action of ['dynamodb:CreateBackup', 'dynamodb:DeleteBackup']) {
      expect(reach(region, 'backup-audit-log-table', action)).toEqual([log]);
      expect(reach(region, 'backup-state-tables', action)).toEqual(region === tertiary ? [] : [...replicated].sort());
    }
  });

  test('are restored and compared by the machine, which reaches them and restored tables', () => {
    const restored = 'hms-restored-*';
    expect(reach(region, 'start-state-restore', 'dynamodb:RestoreTableFromBackup')).toEqual([...tables, restored].sort());
    expect(reach(region, 'compare-state', 'dynamodb:Scan')).toEqual([...tables, restored].sort());
    for (const action of ['dynamodb:DeleteTable', 'dynamodb:BatchWriteItem', 'dynamodb:DeleteItem'])
      expect(reach(region, 'remove-state-restore', action)).toEqual([restored]);
  });

  test('are proven by an execution of this Region, and the task may start nothing else', () => {
    for (const operation of ['backup-audit-log-table', ...(region === tertiary ? [] : ['backup-state-tables'])]) {
      const starts = statementsOf(region, operation).filter(({ Action }) => Action.includes('states:StartExecution'));
      expect(starts.flatMap(({ Resource }) => Resource)).toEqual([
        `arn:aws:states:${region}:111122223333:stateMachine:hms-codeblue-verify-state-backup`,
      ]);
    }
    const machines = resourcesOf(app.template(region), 'AWS::StepFunctions::StateMachine').map(
      ([, { Properties }]) => Properties.StateMachineName,
    );
    expect(machines).toContain('hms-codeblue-verify-state-backup');
  });

  test('that are late, given up, refused or left behind ring there', () => {
    const names = resourcesOf(app.template(region), 'AWS::CloudWatch::Alarm').map(([, { Properties }]) =>
      z.string().parse(Properties.AlarmName),
    );
    const rings = (ending: string) => names.filter((name) => name.endsWith(ending)).length;
    expect(rings('-TaskOverdue-backup-audit-log-table')).toBe(1);
    expect(rings('-TaskFailing-backup-audit-log-table')).toBe(1);
    expect(rings('-DeadLetters-backup-audit-log-table')).toBe(1);
    expect(rings('-TaskOverdue-run-missed-tasks')).toBe(1);
    expect(rings('-TaskOverdue-schedules')).toBe(1);
    expect(rings('-MachineFailed-verify-state-backup')).toBe(1);
    expect(rings('-MachineTimedOut-verify-state-backup')).toBe(1);
    expect(rings(`-OrphanFound-${region}`)).toBe(1);
    for (const table of [...replicated, log])
      expect(rings(`-StateBackupRefused-${table}`)).toBe(tables.some((each) => each === table) ? 1 : 0);
  });

  test('left behind are removed by the sweeper, which reaches restored tables alone and asks nobody who leads', () => {
    const own = statementsOf(region, 'sweep-orphans');
    expect(reach(region, 'sweep-orphans', 'dynamodb:DeleteTable')).toEqual(['hms-restored-*']);
    expect(own.filter(({ Action }) => Action.includes('dynamodb:RestoreTableFromBackup') || Action.includes('dynamodb:Scan'))).toEqual([]);
    expect(own.filter(({ Resource }) => Resource.some((arn) => arn.endsWith('-coordination')))).toEqual([]);
  });

  test('that were missed are started by the Region itself, among its own tasks', () => {
    const invoked = statementsOf(region, 'run-missed-tasks')
      .filter(({ Action }) => Action.includes('lambda:InvokeFunction'))
      .flatMap(({ Resource }) => Resource.map((arn) => arn.split(':').at(-1)));
    const deployed = resourcesOf(app.template(region), 'AWS::Lambda::Function').map(([, { Properties }]) => Properties.FunctionName);
    expect(invoked).toContain('hms-codeblue-backup-audit-log-table');
    expect(invoked.filter((name) => !deployed.includes(name))).toEqual([]);
  });
});
