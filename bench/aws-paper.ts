import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import Table from 'cli-table3';
import { z } from 'zod';
import operations from '../config/examples/hms.ts';
import { formatSeconds } from '../functions/common/duration.ts';
import type { Forecast } from '../functions/failover/report/forecast.ts';
import { stepLists, tasks } from '../functions/tasks.ts';
import { codeblueApp } from '../lib/codeblue-app.ts';
import { stackTemplates } from '../lib/stack-templates.ts';
import { failoverCost, price } from './aws-paper/cost.ts';
import { type Mode, pages, paperForecast, sources, verdict } from './aws-paper/timeline.ts';

/**
 * Failover on AWS, on paper: how long it takes by phase against the objectives, and what it costs a month. Arithmetic over the example of the HMS
 * manual; nothing is called.
 *
 *     node bench/aws-paper.ts
 */
const objectives = [
  ['database writes again', 'database', 'confirm'],
  ['critical services answer', 'criticalServices', 'traffic'],
  ['full strength', 'full', 'strength'],
] as const;

function printTimeline(mode: Mode): void {
  const rds = paperForecast(operations, 'rds-postgres', mode);
  const aurora = paperForecast(operations, 'aurora-postgres', mode);
  const table = newTable(['phase', 'RDS replica', 'at worst', 'Aurora Global', 'at worst', 'from']);
  const columns = (of: (each: Forecast) => { readonly expectedSeconds: number; readonly worstSeconds: number } | undefined) =>
    [rds, aurora].flatMap((each) => {
      const { expectedSeconds = 0, worstSeconds = 0 } = of(each) ?? {};
      return [formatSeconds(expectedSeconds), formatSeconds(worstSeconds)];
    });
  for (const { phase } of rds.phases)
    table.push([phase, ...columns((each) => each.phases.find((other) => other.phase === phase)), sources(mode)[phase]]);
  for (const [what, name, phase] of objectives) {
    const objective = `objective ${formatSeconds(rds[name].objectiveSeconds)}, to the end of ${phase}`;
    table.push([what, ...columns((each) => each[name]), objective], ['', verdict(rds[name]), '', verdict(aurora[name]), '', '']);
  }
  console.log(`\nUnplanned failover, mode ${mode}\n${table.toString()}`);
}

function printCost(): void {
  const [moving, still] = [alarmsIn('approve'), alarmsIn('off')];
  const added = { onMetrics: moving.onMetrics - still.onMetrics, composite: moving.composite - still.composite };
  const lines = failoverCost(operations, added);
  const total = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  const cluster = price.arcClusterHour * 730;
  const inDollars = (amount: number): string => `$${amount.toFixed(2)}`;
  const table = newTable(['what', 'how much', 'a month']);
  for (const { what, much, dollars } of lines) table.push([what, much, inDollars(dollars)]);
  table.push(['Codeblue, all of it', '', inDollars(total)]);
  table.push([
    'ARC routing controls, one cluster',
    `${inDollars(price.arcClusterHour)} an hour, without health checks`,
    inDollars(cluster),
  ]);
  table.push(['ARC Region switch, one plan', 'fences no database, measures no loss', inDollars(price.arcRegionSwitchPlanMonth)]);
  console.log(`\nCost\n${table.toString()}`);
  console.log(`Codeblue costs ${((100 * total) / cluster).toFixed(0)} % of one ARC cluster.`);
}

const Template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

/** Alarms of the whole deployment, all Regions. */
function alarmsIn(mode: 'off' | 'approve'): { readonly onMetrics: number; readonly composite: number } {
  const outdir = mkdtempSync(join(tmpdir(), 'codeblue-paper-'));
  try {
    const bundle = { code: () => Code.fromInline('// only the alarms are counted'), sha256: '0'.repeat(64) };
    const given = { ...operations, failover: { ...operations.failover, mode } };
    const app = codeblueApp({ operations: given, tasks, steps: stepLists, bundle, validate: false, outdir });
    const resources = stackTemplates(app).flatMap(({ template }) => Object.values(Template.parse(template).Resources));
    const count = (type: string) => resources.filter(({ Type }) => Type === type).length;
    return { onMetrics: count('AWS::CloudWatch::Alarm'), composite: count('AWS::CloudWatch::CompositeAlarm') };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const newTable = (head: string[]) => new Table({ head, style: { head: [], border: [], compact: true } });

console.log('From the first failed probe; config/examples/hms.ts, nothing measured yet');
printTimeline('automatic');
printTimeline('approve');
console.log(pages.join('\n'));
printCost();
