import { CfnResource, Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type AlarmRow, type AlarmScope, canLead } from '../../functions/incidents/alarms/alarm-row.ts';
import { type DashboardPlan, dashboardName, dashboards } from '../../functions/incidents/alarms/dashboards.ts';
import { alarmMetric, seriesMetric } from './alarm-metric.ts';
import type { TellingAlarms } from './table-alarms.ts';

/** CloudWatch's grid is 24 wide; alarm widgets take 100 alarms each. */
const wide = 24;
const half = 12;
const alarmsOfAWidget = 100;

/** The five dashboards of a Region (row M1), from the table that its alarms are made of. */
export function regionDashboards(scope: Construct, of: AlarmScope, table: readonly AlarmRow[], alarms: TellingAlarms): void {
  for (const plan of dashboards(of, table)) {
    const { node } = new cloudwatch.Dashboard(scope, `Dashboard-${plan.name}`, {
      dashboardName: dashboardName(of.operations.name, of.region, plan.name),
      defaultInterval: Duration.hours(plan.name === 'executive' ? 24 * 7 : 3),
      widgets: [[heading(plan, of)], ...alarmRows(plan, alarms), ...inPairs(figures(plan)), ...inPairs(plan.graphs.map(graph))],
    });
    // CDK puts the deployment's tags on it; the schema that CloudFormation publishes for dashboards knows none.
    if (CfnResource.isCfnResource(node.defaultChild)) node.defaultChild.addPropertyDeletionOverride('Tags');
  }
}

function heading({ title, alarms, graphs }: DashboardPlan, of: AlarmScope): cloudwatch.IWidget {
  const { operations, region } = of;
  const role = Object.entries(operations.regions).find(([, each]) => each === region)?.[0] ?? '';
  const pages = [...new Set([...alarms, ...graphs.flatMap(({ rows }) => rows)].map(({ alarm }) => alarm))].sort();
  const runbooks = pages.map((page) => runbookLink(page, operations.incidents.runbooksAt)).join(' · ');
  const where = canLead(of) ? `${region}, ${role}` : `${region}, ${role}: it keeps copies and watches, and leads nothing`;
  return new cloudwatch.TextWidget({
    markdown: `# ${title}\n${operations.name} · ${where} · Owner ${operations.contacts.owner.name}\n\nRunbooks: ${runbooks || 'none'}`,
    width: wide,
    height: 4,
  });
}

const runbookLink = (page: string, at: string | undefined): string =>
  at === undefined ? `docs/runbooks/${page}.md` : `[${page}](${at.replace(/\/$/, '')}/${page}.md)`;

function alarmRows({ name, alarms: rows }: DashboardPlan, alarms: TellingAlarms): cloudwatch.IWidget[][] {
  const shown = rows.flatMap((row) => alarms.get(row) ?? []);
  const title = name === 'executive' ? 'Critical alarms' : 'Alarms';
  const widgets: cloudwatch.IWidget[][] = [];
  for (let from = 0; from < shown.length; from += alarmsOfAWidget) {
    const some = shown.slice(from, from + alarmsOfAWidget);
    const height = Math.min(20, 1 + Math.ceil(some.length / 4));
    const sortBy = cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP;
    widgets.push([new cloudwatch.AlarmStatusWidget({ title, alarms: some, width: wide, height, sortBy })]);
  }
  return widgets;
}

/** One number for each, over the whole time that is looked at. */
function figures({ figures: all }: DashboardPlan): readonly cloudwatch.IWidget[] {
  return [...new Set(all.map(({ title }) => title))].map(
    (title) =>
      new cloudwatch.SingleValueWidget({
        title,
        metrics: all.filter((figure) => figure.title === title).map((figure, index) => figureMetric(figure, index)),
        setPeriodToTimeRange: title.startsWith('Uptime'),
        width: half,
        height: 6,
      }),
  );
}

function figureMetric({ label, shows, series, periodSeconds }: DashboardPlan['figures'][number], index: number): cloudwatch.IMetric {
  const metric = seriesMetric(series, periodSeconds, label);
  if (shows === 'value') return metric;
  return new cloudwatch.MathExpression({
    expression: `100 * (1 - down${index})`,
    usingMetrics: { [`down${index}`]: metric },
    period: Duration.seconds(periodSeconds),
    label,
  });
}

const shownFires = { 'at-or-above': 'at or above', above: 'above', below: 'below' } as const;

function graph({ alarm, rows }: DashboardPlan['graphs'][number]): cloudwatch.IWidget {
  const thresholds = new Map(rows.map((row) => [row.threshold, row]));
  return new cloudwatch.GraphWidget({
    title: `${alarm}: rings ${[...new Set(rows.map(({ fires }) => shownFires[fires]))].join(' or ')} the line`,
    left: rows.map((row, index) => alarmMetric(row, index).with({ label: row.subject })),
    leftAnnotations: [...thresholds.values()].map(({ threshold, severity }) => ({
      value: threshold,
      label: `severity ${severity}`,
      color: severity === 1 ? cloudwatch.Color.RED : cloudwatch.Color.ORANGE,
    })),
    width: half,
    height: 6,
  });
}

function inPairs(widgets: readonly cloudwatch.IWidget[]): cloudwatch.IWidget[][] {
  const rows: cloudwatch.IWidget[][] = [];
  for (let from = 0; from < widgets.length; from += 2) rows.push(widgets.slice(from, from + 2));
  return rows;
}
