import { minutes } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { parseFailoverReport, reportKeys } from '../../report/failover-report.ts';
import { documentKeys, storeDocument } from '../../report/report-document.ts';
import { FullTestRecord } from '../full-test-models.ts';
import { fullTestMarkdown, fullTestReport, parseFullTestReport } from '../full-test-report.ts';
import { act, found } from './full-test-step.ts';

/** Writes the report down and tells people, however it ended. The first report of a test stays. */
export const reportFullTest = defineStep({
  name: 'report-full-test',
  summary: 'Writes the report of the full test and tells people how it ended.',
  timeout: minutes(1),
  needs: ['reports:read', 'reports:write', 'notices:publish'],
  input: FullTestRecord,
  async run(record, context) {
    const { reports, notices, clock, region } = context;
    const { request, plan } = record;
    const stem = `drills/${request.testId}`;
    const { json } = documentKeys(stem);
    const stored = await reports.get(region, json);
    const moved = plan && (await reports.get(region, reportKeys(plan).json));
    const report = stored ? parseFullTestReport(stored) : fullTestReport(record, moved && parseFailoverReport(moved), clock.now());
    const { outcome, stoppedBy } = report;
    await act(context, record, { action: 'report-full-test', resource: `report/${json}`, details: { outcome } }, async () => {
      const isNew = await storeDocument(reports, region, { stem, json: report, markdown: fullTestMarkdown(report) });
      if (!isNew) return;
      const how = { passed: 'passed', missed: 'missed its objectives', stopped: 'was stopped' }[outcome];
      await notices.publish({
        region,
        severity: outcome === 'passed' ? 3 : 2,
        subject: `The full test of a failover to ${request.region} ${how}`,
        text: [stoppedBy, `Report: ${json}`].filter((line) => line !== undefined).join('. '),
      });
    });
    return found(record, outcome, stoppedBy ?? `the report is ${json} in ${region}`);
  },
});
