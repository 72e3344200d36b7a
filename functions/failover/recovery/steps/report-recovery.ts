import { minutes } from '../../../common/duration.ts';
import { databaseOf } from '../../../common/operations-lookup.ts';
import { defineStep } from '../../../common/task.ts';
import { documentKeys, storeDocument } from '../../report/report-document.ts';
import { RecoveryRecord, type RecoveryStatus } from '../models.ts';
import {
  outcomeSentences,
  parseRecoveryReport,
  type RecoveryReport,
  recoveryMarkdown,
  recoveryReport,
  recoveryStem,
} from '../recovery-report.ts';
import { act, found } from './recovery-step.ts';

const severities: Readonly<Record<RecoveryReport['outcome'], 1 | 2 | 3>> = { recovered: 3, unprotected: 2, 'as-it-was': 2, unclear: 1 };
const ends = { recovered: 'recovered', unprotected: 'unprotected', 'as-it-was': 'as-it-was', unclear: 'unclear' } as const satisfies Record<
  RecoveryReport['outcome'],
  RecoveryStatus
>;

/** Writes the report down and tells people, however it ended. The first report of a recovery stays. */
export const reportRecovery = defineStep({
  name: 'report-recovery',
  summary: 'Writes the report of the recovery and tells people how it ended.',
  timeout: minutes(1),
  needs: ['reports:read', 'reports:write', 'notices:publish'],
  input: RecoveryRecord,
  async run(record, context) {
    const { reports, notices, operations, clock, region } = context;
    const { databaseId } = record.request;
    const stem = recoveryStem(record.request);
    const { json } = documentKeys(stem);
    const stored = await reports.get(region, json);
    const { rto } = databaseOf(operations, databaseId).objectives;
    const report = stored ? parseRecoveryReport(stored) : recoveryReport(record, rto, clock.now());
    const { outcome, stoppedBy } = report;
    await act(context, record, { action: 'report-recovery', resource: `report/${json}`, details: { outcome } }, async () => {
      const isNew = await storeDocument(reports, region, { stem, json: report, markdown: recoveryMarkdown(report) });
      if (!isNew) return;
      await notices.publish({
        region,
        severity: severities[outcome],
        subject: `${databaseId} ${outcomeSentences[outcome]}`.slice(0, 100),
        text: [stoppedBy, `Report: ${json}`].filter((line) => line !== undefined).join('. '),
      });
    });
    return found(record, ends[outcome], stoppedBy ?? `the report is ${json} in ${region}`);
  },
});
