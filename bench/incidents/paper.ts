import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import Table from 'cli-table3';
import { z } from 'zod';
import example from '../../config/examples/hms.ts';
import { stepLists, tasks } from '../../functions/tasks.ts';
import { codeblueApp } from '../../lib/codeblue-app.ts';
import { stackTemplates } from '../../lib/stack-templates.ts';
import { type Counted, idleCost, perTenThousand, seatPrice } from './cost.ts';

const Template = z.object({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

/** Resources by type, over all Regions. */
function resourcesIn(mode: 'off' | 'on'): ReadonlyMap<string, number> {
  const outdir = mkdtempSync(join(tmpdir(), 'codeblue-paper-'));
  try {
    const bundle = { code: () => Code.fromInline('// only the resources are counted'), sha256: '0'.repeat(64) };
    const operations = { ...example, incidents: { ...example.incidents, mode } };
    const app = codeblueApp({ operations, tasks, steps: stepLists, bundle, validate: false, outdir });
    const types = stackTemplates(app).flatMap(({ template }) => Object.values(Template.parse(template).Resources).map(({ Type }) => Type));
    return new Map([...Map.groupBy(types, (type) => type)].map(([type, each]) => [type, each.length]));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The example of the HMS manual with `incidents.mode: 'on'`: all of its alarms and dashboards, and of the rest what the mode adds. */
function counted(): Counted {
  const [off, on] = [resourcesIn('off'), resourcesIn('on')];
  const all = (type: string): number => on.get(type) ?? 0;
  const added = (type: string): number => all(type) - (off.get(type) ?? 0);
  return {
    regions: 3,
    alarms: all('AWS::CloudWatch::Alarm'),
    composites: all('AWS::CloudWatch::CompositeAlarm'),
    dashboards: all('AWS::CloudWatch::Dashboard'),
    polledQueues: added('AWS::Lambda::EventSourceMapping'),
    keys: added('AWS::KMS::Key'),
    people: example.incidents.people.length,
  };
}

const inDollars = (amount: number): string => `$${amount.toFixed(2)}`;
const newTable = (head: string[]) => new Table({ head, style: { head: [], border: [], compact: true } });

/** What a month costs, beside the price of a seat. Arithmetic over the example of the HMS manual; nothing is called. */
export function printIncidentCost(): void {
  const facts = counted();
  const idle = idleCost(facts);
  const loaded = perTenThousand();
  const sum = (lines: readonly { readonly dollars: number }[]): number => lines.reduce((total, { dollars }) => total + dollars, 0);
  const table = newTable(['what', 'how much', 'dollars']);
  for (const { what, much, dollars } of idle) table.push([what, much, inDollars(dollars)]);
  table.push(['A month in which nothing happens', '', inDollars(sum(idle))]);
  for (const { what, much, dollars } of loaded) table.push([what, much, inDollars(dollars)]);
  table.push(['10 000 events, 100 of them pages', '', inDollars(sum(loaded))]);
  for (const { plan, dollars } of seatPrice) {
    table.push([
      `PagerDuty ${plan}, ${facts.people} seats`,
      `${inDollars(dollars)} a seat and month, billed yearly`,
      inDollars(dollars * facts.people),
    ]);
  }
  console.log(`\nCost, on paper\n${table.toString()}`);
  const seats = Math.ceil(sum(idle) / (seatPrice[0]?.dollars ?? 1));
  console.log(`A quiet month costs as much as ${seats} seats of ${seatPrice[0]?.plan}; people are not counted here.`);
}
