/** `npm run docs:alarms`: docs/alarms.md from the table of alarms (functions/incidents/alarms), for config/examples/hms.ts with its pager on. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import hms from '../config/examples/hms.ts';
import type { Operations } from '../functions/common/operations.ts';
import type { AlarmRow } from '../functions/incidents/alarms/alarm-row.ts';
import { withCauses } from '../functions/incidents/alarms/causes.ts';
import { describeMetric, describeRule, describeSilence } from '../functions/incidents/alarms/describe-row.ts';
import { alarmTable } from '../functions/incidents/alarms/table.ts';
import { tasks } from '../functions/tasks.ts';

const page = fileURLToPath(new URL('../docs/alarms.md', import.meta.url));
const operations: Operations = { ...hms, incidents: { ...hms.incidents, mode: 'on' } };

/** Rows that differ in their subject only are one line. */
function lineOf(rows: readonly AlarmRow[], causes: readonly AlarmRow[]): string {
  const [row] = rows;
  if (!row) return '';
  const subjects = [...new Set(rows.map(({ subject }) => subject))].sort();
  const about = subjects.length > 3 ? `${subjects.slice(0, 2).join(', ')} and ${subjects.length - 2} more` : subjects.join(', ');
  const hiddenBy = [...new Set(causes.map(({ alarm }) => alarm))].sort().join(', ');
  const told = row.tells === 'topic' ? 'the alarm topic' : hiddenBy ? `unless ${hiddenBy} rings` : 'yes';
  const cells = [
    `[${row.alarm}](runbooks/${row.alarm}.md)`,
    about,
    `${row.severity}`,
    row.owner,
    describeMetric(row),
    describeRule(row),
    describeSilence(row),
    told,
    row.dashboards.join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The page: every line of every Region once. */
function alarmsPage(): string {
  const caused = Object.values(operations.regions).flatMap((region) => withCauses(alarmTable({ operations, region, tasks })));
  const lines = new Map<string, typeof caused>();
  for (const each of caused) {
    const { alarm, severity, tells } = each.row;
    const key = [alarm, severity, tells, describeMetric(each.row), describeRule(each.row), describeSilence(each.row)].join('|');
    lines.set(key, [...(lines.get(key) ?? []), each]);
  }
  const written = [...lines.values()].map((some) =>
    lineOf(
      some.map(({ row }) => row),
      some.flatMap(({ causes }) => causes),
    ),
  );
  return [
    '# Alarms',
    '',
    'Written by `npm run docs:alarms` from the table that the alarms are deployed from (functions/incidents/alarms), for config/examples/hms.ts with `incidents.mode: on`. Thresholds of times are in',
    'seconds, of memory and disk in bytes that are left.',
    '',
    '| alarm | about | severity | owner | held against | rings when | silence | tells people | dashboards |',
    '|---|---|---|---|---|---|---|---|---|',
    ...written.sort(),
    '',
  ].join('\n');
}

const text = alarmsPage();
if (process.argv.includes('--check')) {
  if (readFileSync(page, 'utf8') === text) process.exit(0);
  console.error('docs/alarms.md is older than the table: npm run docs:alarms writes it.');
  process.exit(1);
}
writeFileSync(page, text);
