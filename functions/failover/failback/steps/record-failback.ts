import { z } from 'zod';
import { minutes } from '../../../common/duration.ts';
import { Timestamp, timestamp } from '../../../common/ids.ts';
import { parseAs } from '../../../common/parse.ts';
import { defineStep } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { causeOf, failbackReport, failbackReportKeys, failbackReportMarkdown, isComplete } from '../failback-report.ts';
import { FailbackRecord } from '../models.ts';
import { act, found } from './failback-step.ts';

/** Writes the report down and tells people, however it ended. The first report of a failback stays. */
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
    const keys = failbackReportKeys(record);
    const stored = await reports.get(region, keys.json);
    const endedAt = stored ? endOf(stored) : timestamp(clock.now());
    const details = { complete, lostRows: record.lostRows, proven: record.proven.length, cause: cause?.slice(0, 500) ?? null };
    await act(context, record, { action: 'record-failback', resource: `report/${keys.json}`, details }, async () => {
      // The JSON first: its time is the one of the text too, however often this runs.
      const json = Buffer.from(`${JSON.stringify(failbackReport(record, endedAt))}\n`);
      if (!stored) await reports.put(region, keys.json, json, 'application/json');
      const markdown = Buffer.from(failbackReportMarkdown(record, endedAt));
      await reports.put(region, keys.markdown, markdown, 'text/markdown; charset=utf-8');
      await notices.publish({
        region,
        severity: complete ? 3 : 2,
        subject: complete ? `Failback to ${oldRegion} is complete` : `Failback to ${oldRegion} stopped`,
        text: `${cause ?? record.says}. Rows that only the old primary had: ${record.lostRows}. ${complete ? '' : `${leader} is as it was. `}Report: ${keys.json}`,
      });
    });
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

const endOf = (stored: Uint8Array): Timestamp =>
  parseAs(z.looseObject({ endedAt: Timestamp }), JSON.parse(Buffer.from(stored).toString('utf8')), 'the report of a failback').endedAt;
