import { minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { htmlPage } from '../../report/report-document.ts';
import { causeOf, failbackReport, failbackReportKeys, failbackReportMarkdown, isComplete } from '../failback-report.ts';
import { FailbackRecord } from '../models.ts';
import { act, found } from './failback-step.ts';

/** Writes the report down and tells people, however it ended. */
export const recordFailback = defineStep({
  name: 'record-failback',
  summary: 'Writes the report of the failback and tells people how it ended.',
  timeout: minutes(1),
  needs: ['reports:read', 'reports:write', 'notices:publish'],
  input: FailbackRecord,
  async run(record, context) {
    const { reports, notices, metrics, clock, region } = context;
    const { leader, oldRegion } = record.request;
    const complete = isComplete(record);
    const cause = causeOf(record);
    const keys = failbackReportKeys(record, clock.now());
    const endedAt = timestamp(clock.now());
    const details = { complete, lostRows: record.lostRows, proven: record.proven.length, cause: cause?.slice(0, 500) ?? null };
    // The text last: where it is, everything was done before.
    if (!(await reports.get(region, keys.markdown))) {
      await act(context, record, { action: 'record-failback', resource: `report/${keys.json}`, details }, async () => {
        const json = Buffer.from(`${JSON.stringify(failbackReport(record, endedAt))}\n`);
        if (!(await reports.get(region, keys.json))) await reports.put(region, keys.json, json, 'application/json');
        await notices.publish({
          region,
          severity: complete ? 3 : 2,
          subject: complete ? `Failback to ${oldRegion} is complete` : `Failback to ${oldRegion} stopped`,
          text: `${cause ?? record.says}. Rows that only the old primary had: ${record.lostRows}. ${complete ? '' : `${leader} is as it was. `}Report: ${keys.json}`,
        });
        const markdown = failbackReportMarkdown(record, endedAt);
        // A run that died wrote another time of its end into its page: the first one stays.
        if (!(await reports.get(region, keys.html))) {
          await reports.put(region, keys.html, Buffer.from(htmlPage(markdown)), 'text/html; charset=utf-8');
        }
        await reports.put(region, keys.markdown, Buffer.from(markdown), 'text/markdown; charset=utf-8');
      });
    }
    const dimensions = { Region: leader };
    await metrics.put({
      capability: 'failover',
      name: metricNames.failover.failbackStopped,
      value: complete ? 0 : 1,
      unit: 'Count',
      dimensions,
    });
    return found(record, complete ? 'recorded' : 'stopped', cause ?? `the report is ${keys.json} in ${region}`, clock.now());
  },
});
