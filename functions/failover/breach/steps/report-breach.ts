import { minutes } from '../../../common/duration.ts';
import { type Region, timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { documentKeys, storeDocument } from '../../report/report-document.ts';
import { type BreachOutcome, breachMarkdown, breachOutcome, breachReport } from '../breach-report.ts';
import { reportStem } from '../evidence-objects.ts';
import { BreachRecord } from '../models.ts';
import { act, found } from './breach-step.ts';

/** Writes the report down and tells people, however it ended. The first report stays. */
export const reportBreach = defineStep({
  name: 'report-breach',
  summary: 'Writes the report of a breach and tells people how its containment ended.',
  timeout: minutes(1),
  needs: ['reports:read', 'reports:write', 'notices:publish'],
  input: BreachRecord,
  async run(record, context) {
    const { reports, notices, operations, clock, region } = context;
    const { request, gaps } = record;
    const outcome = breachOutcome(record, operations);
    const endedAt = timestamp(clock.now());
    const stem = reportStem(request);
    await act(context, record, { action: 'report-breach', resource: stem, details: { outcome, gaps: gaps.length } }, async () => {
      // Told before it is stored: a run that dies in between tells twice, and never not at all.
      if (!(await reports.get(region, documentKeys(stem).markdown)))
        await notices.publish({ region, ...noticeOf(record, outcome, region) });
      await storeDocument(reports, region, {
        stem,
        json: breachReport(record, outcome, endedAt),
        markdown: breachMarkdown(record, outcome, endedAt),
      });
    });
    return found(record, outcome, `the report is ${documentKeys(stem).json} in ${region}`);
  },
});

const severities = { contained: 3, incomplete: 2, 'not-contained': 1 } as const;
const hows = { contained: 'is contained', incomplete: 'is contained, evidence is missing', 'not-contained': 'is NOT contained' } as const;

function noticeOf({ request, gaps, sealed }: BreachRecord, outcome: BreachOutcome, region: Region) {
  return {
    severity: severities[outcome],
    subject: `${request.breachId} ${hows[outcome]}`,
    text: [
      ...(gaps.length > 0 ? [`${gaps.length} things could not be done; the report names them.`] : []),
      `Report: ${documentKeys(reportStem(request)).html} in ${region}.`,
      ...(sealed ? [`Evidence: ${sealed.objects} objects; SHA-256 of the manifest ${sealed.sha256}.`] : []),
      'The network stays shut until a person opens it: codeblue contain --release',
    ].join('\n'),
  };
}
