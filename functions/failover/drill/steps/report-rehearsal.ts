import { formatSeconds, minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { documentKeys, storeDocument } from '../../report/report-document.ts';
import { RehearsalRecord } from '../models.ts';
import {
  parseRehearsalReport,
  type RehearsalReport,
  rehearsalMarkdown,
  rehearsalReport,
  rehearsalStem,
  rehearsalsPrefix,
} from '../rehearsal-report.ts';
import { act, found } from './rehearsal-step.ts';

/** Earlier rehearsals that the trend looks at: two years of monthly ones. */
const lookedAt = 24;

/** Writes the report down and tells people, however it ended. The first report of a rehearsal stays. */
export const reportRehearsal = defineStep({
  name: 'report-rehearsal',
  summary: 'Writes the report of the rehearsal: times and loss against the objectives and against earlier drills.',
  timeout: minutes(1),
  needs: ['reports:read', 'reports:write', 'notices:publish'],
  input: RehearsalRecord,
  async run(record, context) {
    const { reports, notices, operations, clock, region } = context;
    const stem = rehearsalStem(record.request);
    const { json } = documentKeys(stem);
    const stored = await reports.get(region, json);
    const report = stored
      ? parseRehearsalReport(stored)
      : rehearsalReport(record, operations, await earlierReports(context, json), timestamp(clock.now()));
    await act(
      context,
      record,
      { action: 'report-rehearsal', resource: `report/${json}`, details: { outcome: report.outcome } },
      async () => {
        const isNew = await storeDocument(reports, region, { stem, json: report, markdown: rehearsalMarkdown(report) });
        if (isNew) await notices.publish(noticeOf(report, json, region));
      },
    );
    if (!stored) await putMetrics(report, context);
    return found(record, report.outcome, report.stoppedBy ?? `the report is ${json} in ${region}`);
  },
});

async function earlierReports(
  { reports, region, log }: Pick<Ports, 'reports'> & TaskContext,
  own: string,
): Promise<readonly RehearsalReport[]> {
  const keys = (await reports.list(region, `${rehearsalsPrefix}rehearsal-`)).filter((key) => key.endsWith('.json') && key < own);
  const found: RehearsalReport[] = [];
  for (const key of keys.slice(-lookedAt)) {
    const bytes = await reports.get(region, key);
    try {
      if (bytes) found.push(parseRehearsalReport(bytes));
    } catch {
      log.warn('an earlier report of a rehearsal cannot be read', { key }); // written by another version: the trend does without it
    }
  }
  return found;
}

function noticeOf(report: RehearsalReport, key: string, region: RehearsalReport['request']['region']) {
  const { outcome, request, stoppedBy, objectives } = report;
  const missed = objectives
    .filter(({ kept }) => !kept)
    .map(({ subject, seconds, objectiveSeconds }) => {
      const measured = seconds === undefined ? 'unknown' : formatSeconds(seconds);
      return `${subject}: ${measured}, allowed ${formatSeconds(objectiveSeconds)}`;
    });
  const says = { passed: 'passed', missed: 'missed its objectives', aborted: 'was aborted' }[outcome];
  return {
    region,
    severity: outcome === 'passed' ? (3 as const) : (2 as const),
    subject: `The rehearsal of a failover to ${request.region} ${says}`,
    text: [stoppedBy, ...missed, `Report: ${key}`].filter((line) => line !== undefined).join('. '),
  };
}

async function putMetrics({ databases }: RehearsalReport, { metrics }: Pick<Ports, 'metrics'>): Promise<void> {
  for (const { databaseId, promotionSeconds } of databases) {
    if (promotionSeconds === undefined) continue;
    const dimensions = { Database: databaseId };
    const name = metricNames.failover.rehearsedSeconds;
    await metrics.put({ capability: 'failover', name, value: promotionSeconds, unit: 'Seconds', dimensions });
  }
}
