import { minutes } from '../../../common/duration.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { finish } from '../../leadership/claim.ts';
import { writeTransition } from '../../leadership/write-transition.ts';
import { FailoverRecord } from '../../models.ts';
import { failoverReport, failoverReportMarkdown, parseFailoverReport, reportKeys } from '../../report/failover-report.ts';
import { phaseSeconds } from '../../report/phases.ts';
import { htmlPage } from '../../report/report-document.ts';
import type { FailoverReport } from '../../report/report-model.ts';
import { act, found } from './failover-step.ts';

/** Writes the report down, in the Region that leads now, and with that the change is finished. The first report of an epoch stays. */
export const recordFailover = defineStep({
  name: 'record-failover',
  summary: 'Writes the report: time by phase, recovery time, loss.',
  timeout: minutes(1),
  needs: ['coordination:read', 'coordination:claim', 'reports:read', 'reports:write'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, reports, operations, clock } = context;
    const { plan } = record;
    const keys = reportKeys(plan);
    const stored = await reports.get(plan.to, keys.json);
    const report = stored ? parseFailoverReport(stored) : failoverReport(record, operations.failover.objectives, clock.now());
    await act(context, record, { action: 'record-failover', resource: `report/${keys.json}` }, async () => {
      // The JSON first: what is stored decides what the text says, however often this runs.
      if (!stored) await reports.put(plan.to, keys.json, Buffer.from(`${JSON.stringify(report)}\n`), 'application/json');
      const markdown = failoverReportMarkdown(report);
      await reports.put(plan.to, keys.html, Buffer.from(htmlPage(markdown)), 'text/html; charset=utf-8');
      await reports.put(plan.to, keys.markdown, Buffer.from(markdown), 'text/markdown; charset=utf-8');
      await writeTransition(coordination, (current) => finish(current, plan));
    });
    if (!stored) await putMetrics(report, context);
    return found(record, 'done', `the report is ${keys.json} in ${plan.to}`);
  },
});

async function putMetrics({ phases, rto }: FailoverReport, { metrics }: Pick<Ports, 'metrics'> & TaskContext): Promise<void> {
  const put = (name: string, value: number | undefined, dimensions: Readonly<Record<string, string>>) =>
    value === undefined ? Promise.resolve() : metrics.put({ capability: 'failover', name, value, unit: 'Seconds', dimensions });
  for (const [phase, value] of phaseSeconds(phases)) await put(metricNames.failover.phaseSeconds, value, { Phase: phase });
  await put(metricNames.failover.rtoSeconds, rto.criticalServices.seconds, { Objective: 'critical-services' });
  await put(metricNames.failover.rtoSeconds, rto.full.seconds, { Objective: 'full' });
}
