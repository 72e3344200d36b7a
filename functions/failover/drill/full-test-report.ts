import { z } from 'zod';
import { formatSeconds } from '../../common/duration.ts';
import { Timestamp } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import { Epoch, PhaseTime } from '../models.ts';
import { failureSentence } from '../move/failure-sentence.ts';
import { endPhases, phaseSeconds } from '../report/phases.ts';
import type { FailoverReport } from '../report/report-model.ts';
import { type FullTestRecord, FullTestRequest } from './full-test-models.ts';

const Time = z.strictObject({ subject: z.string(), seconds: z.number().optional(), objectiveSeconds: z.number(), kept: z.boolean() });

/** What a full test came to: times of the move as its own report has them, and whether everything is as it was. */
export const FullTestReport = z.strictObject({
  format: z.literal('codeblue-full-test-report/1'),
  outcome: z.enum(['passed', 'missed', 'stopped']),
  request: FullTestRequest,
  endedAt: Timestamp,
  stoppedBy: z.string().optional(),
  /** Epoch of the move away; its report lies beside those of every other change. */
  movedInEpoch: Epoch.optional(),
  returned: z.boolean(),
  protected: z.boolean(),
  objectives: z.array(Time),
  phases: z.array(PhaseTime),
});
export type FullTestReport = z.output<typeof FullTestReport>;

/** @param moved the report of the change that moved the lead away; undefined where there is none */
export function fullTestReport(record: FullTestRecord, moved: FailoverReport | undefined, now: Date): FullTestReport {
  const { request, failure, stoppedBy, status, says, returnedAt, plan, phases } = record;
  const isProtected = status === 'protected';
  const because =
    failure !== undefined
      ? `${failureSentence(failure)}; before it: ${stoppedBy ?? says}`.slice(0, 1000)
      : (stoppedBy ?? (isProtected ? undefined : says));
  const objectives = moved
    ? Object.entries(moved.rto).map(([subject, { seconds, objectiveSeconds }]) => ({
        ...{ subject: names[subject as keyof typeof names], objectiveSeconds, kept: seconds !== undefined && seconds <= objectiveSeconds },
        ...(seconds === undefined ? {} : { seconds }),
      }))
    : [];
  const kept = objectives.length > 0 && objectives.every((each) => each.kept);
  return {
    format: 'codeblue-full-test-report/1',
    outcome: because !== undefined ? 'stopped' : kept ? 'passed' : 'missed',
    ...{ request, endedAt: Timestamp.parse(now.toISOString()), objectives, protected: isProtected, returned: returnedAt !== undefined },
    ...(because === undefined ? {} : { stoppedBy: because }),
    ...(plan ? { movedInEpoch: plan.epoch } : {}),
    phases: endPhases(phases, now),
  };
}

const names = { database: 'database', criticalServices: 'critical services', full: 'full system' } as const;
const headings = { passed: 'The full test passed.', missed: 'The full test missed its objectives.', stopped: 'The full test was stopped.' };

/** For people. */
export function fullTestMarkdown(report: FullTestReport): string {
  const { request, outcome, stoppedBy, endedAt, objectives, phases, movedInEpoch, returned, protected: isProtected } = report;
  const { leader, region, requestedBy, requestedAt } = request;
  return [
    `# Full test of a failover to ${region} and back, ${requestedAt}`,
    '',
    `**${headings[outcome]}**${stoppedBy === undefined ? '' : ` ${stoppedBy}.`} Asked for by ${requestedBy}; ended at ${endedAt}.`,
    '',
    `- the lead moved to ${region}: ${movedInEpoch === undefined ? 'no' : `asked for in epoch ${movedInEpoch}`}`,
    `- ${leader} leads again: ${returned ? 'yes' : 'NO'}`,
    `- ${region} is a proven replica again: ${isProtected ? 'yes' : 'NO'}`,
    '',
    ...(objectives.length === 0
      ? []
      : [
          '| Recovery time of the move | measured | objective | kept |',
          '| --- | --- | --- | --- |',
          ...objectives.map(
            ({ subject, seconds, objectiveSeconds, kept }) =>
              `| ${subject} | ${seconds === undefined ? 'not reached' : formatSeconds(seconds)} | ${formatSeconds(objectiveSeconds)} | ${kept ? 'yes' : 'NO'} |`,
          ),
          '',
        ]),
    ...(phases.length === 0
      ? []
      : [
          '| Phase | time |',
          '| --- | --- |',
          ...[...phaseSeconds(phases)].map(([name, seconds]) => `| ${name} | ${formatSeconds(seconds)} |`),
          '',
        ]),
  ].join('\n');
}

/** @throws InvalidInput */
export const parseFullTestReport = (bytes: Uint8Array): FullTestReport =>
  parseAs(FullTestReport, JSON.parse(Buffer.from(bytes).toString('utf8')), 'the report of a full test');
