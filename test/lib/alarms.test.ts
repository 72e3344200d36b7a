import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { HIPAASecurityChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Region } from '../../functions/common/ids.ts';
import { alarmOf } from '../../functions/incidents/alarms/alarm-name.ts';
import { type AlarmRule, evaluate } from '../../functions/incidents/alarms/evaluate.ts';
import { alarmTable } from '../../functions/incidents/alarms/table.ts';
import { absenceWindow } from '../../functions/maintenance/absence-window.ts';
import { tasks } from '../../functions/tasks.ts';
import { monitoredOperations } from '../support/monitored.ts';
import { resourcesOf, type SynthesizedApp, synthesizedApp } from '../support/synthesized-app.ts';

const operations = monitoredOperations();
const byMail = synthesizedApp(operations);
const paging = synthesizedApp(monitoredOperations({ incidents: 'on' }));
const regions = Object.values(operations.regions);

const Named = z.object({ AlarmName: z.string(), AlarmDescription: z.string(), AlarmActions: z.array(z.unknown()).default([]) });
const Dimensions = z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]);
const MetricAlarm = Named.extend({
  ComparisonOperator: z.enum(['GreaterThanOrEqualToThreshold', 'GreaterThanThreshold', 'LessThanThreshold']),
  Threshold: z.number(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number().optional(),
  TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore', 'missing']),
  Namespace: z.string().optional(),
  Dimensions,
});
type MetricAlarm = z.output<typeof MetricAlarm>;

const metricAlarms = (app: SynthesizedApp, region: string): readonly (MetricAlarm & { readonly id: string })[] =>
  resourcesOf(app.template(region), 'AWS::CloudWatch::Alarm').map(([id, { Properties }]) => ({ id, ...MetricAlarm.parse(Properties) }));
const composites = (app: SynthesizedApp, region: string) =>
  resourcesOf(app.template(region), 'AWS::CloudWatch::CompositeAlarm').map(([, { Properties }]) =>
    Named.extend({ AlarmRule: z.unknown() }).parse(Properties),
  );
const telling = (app: SynthesizedApp, region: string) =>
  [...metricAlarms(app, region), ...composites(app, region)].filter(({ AlarmName }) => !AlarmName.includes('-codeblue-watched-'));

/** As CloudWatch would work it: nothing of the table is asked. */
const ruleOf = (alarm: MetricAlarm): AlarmRule => ({
  fires: ({ GreaterThanOrEqualToThreshold: 'at-or-above', GreaterThanThreshold: 'above', LessThanThreshold: 'below' } as const)[
    alarm.ComparisonOperator
  ],
  threshold: alarm.Threshold,
  periods: alarm.EvaluationPeriods,
  datapointsToAlarm: alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods,
  missingData: alarm.TreatMissingData,
});
const filled = (count: number, value: number | undefined) => Array.from({ length: count }, () => value);

describe.each([
  ['by mail', byMail],
  ['paging', paging],
] as const)('%s', (_, app) => {
  test.each(regions)('%s: every row of the table is deployed, and what is deployed fires and is quiet as the row says', (region) => {
    const table = alarmTable({ operations: app.operations, region: Region.parse(region), tasks });
    expect(telling(app, region)).toHaveLength(table.length);
    const deployed = new Map(
      metricAlarms(app, region).map((alarm) => [alarm.AlarmName.replace(/^.*?-codeblue-(watched|(pager-)?s\d)-/, ''), alarm]),
    );
    for (const row of table) {
      const alarm = deployed.get(`${row.alarm}-${row.subject}`);
      expect(alarm, `${row.alarm}-${row.subject}`).toBeDefined();
      if (!alarm) continue;
      const rule = ruleOf(alarm);
      const past = row.fires === 'below' ? row.threshold - 1 : row.threshold + 1;
      const well = row.fires === 'below' ? row.threshold : row.threshold - 1;
      expect(evaluate(rule, filled(row.periods + 2, past), 'ok'), alarm.AlarmName).toBe('alarm');
      expect(evaluate(rule, filled(row.periods + 2, well), 'alarm'), alarm.AlarmName).toBe('ok');
      expect(evaluate(rule, filled(row.periods + 2, undefined), 'ok')).toBe(row.missingData === 'breaching' ? 'alarm' : 'ok');
    }
  });

  test.each(regions)('%s: what Codeblue watches of itself is there under that name', (region) => {
    const resources = Object.values(app.template(region).Resources);
    const names = (type: string, property: string) =>
      resources.filter(({ Type }) => Type === type).map(({ Properties }) => JSON.stringify(Properties[property] ?? ''));
    const there: Readonly<Record<string, readonly string[]>> = {
      'AWS/Lambda': names('AWS::Lambda::Function', 'FunctionName'),
      'AWS/SQS': names('AWS::SQS::Queue', 'QueueName'),
      'AWS/States': names('AWS::StepFunctions::StateMachine', 'StateMachineName'),
    };
    const watched = metricAlarms(app, region).flatMap(({ Namespace = '', Dimensions: [dimension], AlarmName }) => {
      const known = there[Namespace];
      const name = z.string().safeParse(dimension?.Value).data?.split(':').at(-1);
      return known ? [{ AlarmName, known: known.includes(JSON.stringify(name)) }] : [];
    });
    expect(watched.length).toBeGreaterThan(2);
    expect(watched.filter(({ known }) => !known)).toEqual([]);
  });

  test.each(regions)('%s: no machine goes without its two alarms', (region) => {
    const machines = resourcesOf(app.template(region), 'AWS::StepFunctions::StateMachine').map(([, { Properties }]) =>
      z.string().parse(Properties.StateMachineName).replace('hms-codeblue-', ''),
    );
    const names = telling(app, region).map(({ AlarmName }) => AlarmName);
    for (const kind of ['MachineFailed', 'MachineTimedOut']) {
      for (const machine of machines) expect(names.filter((name) => name.endsWith(`-${kind}-${machine}`))).toHaveLength(1);
    }
  });

  test('each names its severity, its owner and a runbook that exists, and two in a Region never share a name', () => {
    for (const region of regions) {
      const names = telling(app, region).map(({ AlarmName }) => AlarmName);
      expect(new Set(names).size).toBe(names.length);
      for (const { AlarmName, AlarmDescription } of telling(app, region)) {
        const said = /\nSeverity ([1-4]) · Owner (Platform team|Compliance) · Runbook docs\/runbooks\/(\w+)\.md$/.exec(AlarmDescription);
        expect(AlarmName).toMatch(new RegExp(`^hms-codeblue-(pager-)?s${said?.[1]}-${said?.[3]}-`));
      }
    }
  });
});

test('every runbook of an alarm has one that rings', () => {
  const pages = new Set(
    regions.flatMap((region) => telling(paging, region)).map(({ AlarmDescription }) => /(\w+)\.md$/.exec(AlarmDescription)?.[1]),
  );
  const written = readdirSync('docs/runbooks').map((file) => file.replace(/\.md$/, ''));
  // What people open by themselves, when nothing rings: an alarm leads to it, or the hospital telephones.
  const withoutAlarm = ['DatabaseCorruption', 'RegionLoss'];
  // Signals that come to triage by other doors than an alarm.
  const signals = ['AlertmanagerAlert', 'AlertsTruncated', 'IncidentDeclared', 'PagerDutyEvent', 'RegulatoryDeadline'];
  expect([...pages, ...withoutAlarm, ...signals].sort()).toEqual(written.sort());
});

test('docs/alarms.md is what the table says now', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/alarms-page.ts', '--check'], { encoding: 'utf8' });
  expect(stderr.includes('older than the table') ? stderr : '').toBe('');
  expect(status).toBe(0);
});

describe('who is told', () => {
  test('by mail: every alarm that tells goes to the topic, one that only watches does not', () => {
    for (const region of regions) {
      for (const { AlarmName, AlarmActions } of telling(byMail, region)) expect([AlarmName, AlarmActions.length]).toEqual([AlarmName, 1]);
      const watching = metricAlarms(byMail, region).filter(({ AlarmName }) => AlarmName.includes('-codeblue-watched-'));
      expect(watching.length).toBe(composites(byMail, region).length);
      expect(watching.filter(({ AlarmActions }) => AlarmActions.length > 0)).toEqual([]);
    }
  });

  test('paging: the topic hears of the pager alone, and EventBridge of everything else', () => {
    for (const region of regions) {
      for (const { AlarmName, AlarmActions } of telling(paging, region)) {
        const isOfPager = AlarmName.startsWith('hms-codeblue-pager-');
        expect([AlarmName, AlarmActions.length]).toEqual([AlarmName, isOfPager ? 1 : 0]);
        expect(alarmOf(AlarmName) === undefined).toBe(isOfPager);
      }
    }
  });

  test('paging: cdk-nag knows why alarms have no action', () => {
    const found = new HIPAASecurityChecks(paging.app).validateScope(paging.app).violations.map(({ ruleName }) => ruleName);
    expect(found.filter((rule) => rule.includes('CloudWatch'))).toEqual([]);
  });

  test('a composite rings while its own alarm does and none of its causes', () => {
    const { template } = byMail;
    const standby = operations.regions.standby;
    const nameOf = new Map(metricAlarms(byMail, standby).map(({ id, AlarmName }) => [id, AlarmName]));
    const joined = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });
    const reference = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) });
    const [rule] = resourcesOf(template(standby), 'AWS::CloudWatch::CompositeAlarm').flatMap(([, { Properties }]) =>
      Properties.AlarmName === 'hms-codeblue-s1-LeaseNotRenewed-us-west-2' ? [joined.parse(Properties.AlarmRule)['Fn::Join'][1]] : [],
    );
    const written = rule?.map((part) => nameOf.get(reference.safeParse(part).data?.['Fn::GetAtt'][0] ?? '') ?? part).join('');
    const [own, cause, other] = ['watched-LeaseNotRenewed-us-west-2', 's1-RegionDown-us-east-1', 's1-CoordinationUnreachable-us-west-2'];
    const rings = (name: string | undefined) => `ALARM("hms-codeblue-${name}")`;
    expect(written).toBe(`(${rings(own)} AND (NOT ((${rings(cause)} OR ${rings(other)}))))`);
  });
});

describe('tasks', () => {
  const names = regions.flatMap((region) => telling(byMail, region)).map(({ AlarmName }) => AlarmName);

  test.each(tasks.filter((task) => task.schedules(operations).length > 0).map((task) => [task.name, task] as const))(
    '%s rings when it fails, when it is given up, and when it is silent',
    (name, task) => {
      const own = names.flatMap((each) => {
        const named = alarmOf(each);
        return named?.subject === name ? [named.alarm] : [];
      });
      const silent = absenceWindow(task, operations) ? ['TaskOverdue'] : [];
      expect([...new Set(own)].sort()).toEqual(['DeadLetters', 'TaskFailing', ...silent]);
    },
  );

  test('only tasks that run weekly or less are beyond the alarm on silence', () => {
    const beyond = tasks.filter((task) => task.schedules(operations).length > 0 && !absenceWindow(task, operations));
    expect(beyond.map(({ name }) => name).sort()).toEqual([
      'full-failover-test',
      'rehearse-failover',
      'verify-point-in-time',
      'verify-second-region',
    ]);
  });

  test('silence of what must always speak is bad news', () => {
    const loud = regions
      .flatMap((region) => metricAlarms(byMail, region))
      .filter(({ AlarmName }) => /-(TaskOverdue-(?!schedules)|ObserverSilent-|GuardianLost-)/.test(AlarmName));
    expect(loud.length).toBeGreaterThan(0);
    expect(loud.filter(({ TreatMissingData }) => TreatMissingData !== 'breaching')).toEqual([]);
  });
});

describe('dashboards', () => {
  const Widget = z.object({ type: z.string(), width: z.number(), x: z.number(), properties: z.record(z.string(), z.unknown()) });
  const Body = z.object({ widgets: z.array(Widget) });
  const joined = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });
  const bodyOf = (body: unknown) => {
    const text =
      typeof body === 'string'
        ? body
        : joined
            .parse(body)
            ['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : 'arn'))
            .join('');
    return Body.parse(JSON.parse(text));
  };
  const dashboardsIn = (app: SynthesizedApp, region: string) =>
    resourcesOf(app.template(region), 'AWS::CloudWatch::Dashboard').map(([, { Properties }]) => ({
      name: z.string().parse(Properties.DashboardName),
      ...bodyOf(Properties.DashboardBody),
    }));

  test('five in each Region; their names differ over all Regions, since CloudWatch keeps them together', () => {
    const names = regions.flatMap((region) => dashboardsIn(byMail, region).map(({ name }) => name));
    expect(names.filter((name) => name.includes(operations.regions.primary))).toEqual(
      ['system', 'application', 'database', 'security', 'executive'].map((each) => `hms-codeblue-us-east-1-${each}`),
    );
    expect(new Set(names).size).toBe(15);
  });

  test('management sees uptime, response, critical alarms and verified backups at a glance', () => {
    const executive = dashboardsIn(byMail, operations.regions.primary).find(({ name }) => name.endsWith('-executive'));
    const titles = executive?.widgets.map(({ properties }) => String(properties.title ?? properties.markdown));
    for (const word of ['Uptime', 'ResponseSlow', 'Critical alarms', 'verified backup']) {
      expect(
        titles?.some((title) => title.includes(word)),
        word,
      ).toBe(true);
    }
    const critical = executive?.widgets.find(({ type }) => type === 'alarm')?.properties.alarms;
    const severe = alarmTable({ operations, region: operations.regions.primary, tasks }).filter(({ severity }) => severity === 1);
    expect(critical).toHaveLength(severe.length);
  });

  test('every alarm is on a dashboard, and each dashboard names the runbooks of its alarms', () => {
    for (const region of regions) {
      const heads = dashboardsIn(byMail, region).map(({ widgets }) => String(widgets[0]?.properties.markdown));
      const table = alarmTable({ operations, region, tasks });
      for (const row of table) {
        for (const name of row.dashboards) {
          const head = heads[['system', 'application', 'database', 'security', 'executive'].indexOf(name)];
          if (name !== 'executive' || row.severity === 1) expect(head).toContain(`${row.alarm}.md`);
        }
      }
    }
  });

  test('runbooks are links where the config says where they are published', () => {
    const incidents = { ...operations.incidents, runbooksAt: 'https://runbooks.example.org/codeblue/' };
    const linked = synthesizedApp({ ...operations, incidents });
    const [system] = dashboardsIn(linked, operations.regions.primary);
    expect(String(system?.widgets[0]?.properties.markdown)).toContain(
      '[TaskOverdue](https://runbooks.example.org/codeblue/TaskOverdue.md)',
    );
  });
});
