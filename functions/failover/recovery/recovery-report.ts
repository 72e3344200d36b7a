import { z } from 'zod';
import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import { RecoveryPointId, Timestamp } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import { Check, Measured } from '../../verify/models.ts';
import { FailbackRequest } from '../failback/models.ts';
import { Epoch, PhaseTime } from '../models.ts';
import { failureSentence } from '../move/failure-sentence.ts';
import { endPhases, phaseSeconds } from '../report/phases.ts';
import { CleanState, type RecoveryRecord, RecoveryRequest } from './models.ts';

/**
 * How a recovery ended.
 *
 * `recovered`   the copy leads, and the standby is a proven replica of it
 * `unprotected` the copy leads, and the standby is not
 * `as-it-was`   nothing took any place: the live database is the damaged one
 * `unclear`     the exchange was asked for and is not over
 */
const Outcome = z.enum(['recovered', 'unprotected', 'as-it-was', 'unclear']);

export const RecoveryReport = z.strictObject({
  format: z.literal('codeblue-recovery-report/1'),
  outcome: Outcome,
  request: RecoveryRequest,
  endedAt: Timestamp,
  stoppedBy: z.string().optional(),
  /** The emergency backup of the damaged database. */
  keptAs: RecoveryPointId.optional(),
  clean: CleanState.optional(),
  restoredId: z.string().optional(),
  /** Whether the copy that was not used is gone; absent where it is used, or where there was none. */
  copyRemoved: z.boolean().optional(),
  checks: z.array(Check),
  measured: Measured,
  /** Epoch of the exchange, whose own report lies beside those of every change. */
  epoch: Epoch.optional(),
  replacedAt: Timestamp.optional(),
  /** From the request until the copy led, against the objective. */
  recoverySeconds: z.number().nonnegative().optional(),
  objectiveSeconds: z.number().nonnegative(),
  protection: FailbackRequest.optional(),
  phases: z.array(PhaseTime),
});
export type RecoveryReport = z.output<typeof RecoveryReport>;

/** @param objectiveSeconds the database's RTO */
export function recoveryReport(record: RecoveryRecord, objectiveSeconds: number, now: Date): RecoveryReport {
  const { request, keptAs, clean, verification, plan, replacedAt, protection, phases } = record;
  const outcome = outcomeOf(record);
  const cause = causeOf(record);
  const unused = outcome === 'as-it-was' && verification?.restoredId !== undefined;
  return {
    format: 'codeblue-recovery-report/1',
    ...{ outcome, request, keptAs, clean, restoredId: verification?.restoredId, protection, objectiveSeconds },
    ...{ endedAt: Timestamp.parse(now.toISOString()), checks: verification?.checks ?? [], measured: verification?.measured ?? {} },
    ...(cause === undefined ? {} : { stoppedBy: cause }),
    ...(unused ? { copyRemoved: verification.teardown?.status === 'removed' } : {}),
    ...(replacedAt === undefined
      ? {}
      : {
          epoch: plan?.epoch,
          replacedAt,
          recoverySeconds: Math.max(0, secondsBetween(new Date(request.requestedAt), new Date(replacedAt))),
        }),
    phases: endPhases(phases, now),
  };
}

function outcomeOf({ status, failure, replacedAt }: RecoveryRecord): RecoveryReport['outcome'] {
  if (status === 'protected' && failure === undefined) return 'recovered';
  if (replacedAt !== undefined) return 'unprotected';
  // Asked for, perhaps, by a state that failed, and nobody could find out since.
  return status === 'unclear' || status === 'prepared' || status === 'replacing' ? 'unclear' : 'as-it-was';
}

/** Why it is not as it should be: what a state threw, or the first reason that a step gave. */
function causeOf(record: RecoveryRecord): string | undefined {
  const { failure, stoppedBy, says } = record;
  if (failure === undefined) return outcomeOf(record) === 'recovered' ? undefined : (stoppedBy ?? says);
  return `${failureSentence(failure)}; before it: ${stoppedBy ?? says}`.slice(0, 1000);
}

export const recoveryStem = ({ recoveryId }: Pick<RecoveryRequest, 'recoveryId'>): string => `recoveries/${recoveryId}`;

export const outcomeSentences: Readonly<Record<RecoveryReport['outcome'], string>> = {
  recovered: 'is recovered: the restored copy leads, and the standby follows it',
  unprotected: 'is recovered, and has no proven replica',
  'as-it-was': 'was not recovered: it is as it was',
  unclear: 'is being replaced, and nobody knows yet whether it succeeds',
};

/** For people. */
export function recoveryMarkdown(report: RecoveryReport): string {
  const { request, outcome, stoppedBy, endedAt, checks, phases } = report;
  return [
    `# Recovery of ${request.databaseId} to ${request.until}`,
    '',
    `${request.databaseId} ${outcomeSentences[outcome]}${stoppedBy === undefined ? '' : `: ${stoppedBy}`}.`,
    '',
    `${request.reason}. Asked for by ${request.requestedBy} at ${request.requestedAt} in ${request.region}, ended at ${endedAt}.`,
    '',
    '## What was done',
    '',
    ...doneLines(report).map((line) => `- ${line}`),
    '',
    ...(checks.length === 0 ? [] : ['## What the inspection of the copy found', '', ...checkTable(checks)]),
    ...(phases.length === 0 ? [] : ['## Time', '', '| Phase | seconds |', '| --- | --- |', ...phaseLines(phases), '']),
  ].join('\n');
}

function doneLines(report: RecoveryReport): readonly string[] {
  const { request, keptAs, clean, restoredId, copyRemoved, epoch, replacedAt, recoverySeconds, objectiveSeconds, protection, measured } =
    report;
  const lines: (string | undefined)[] = [
    keptAs && `the damaged database is kept as the backup ${keptAs}`,
    clean?.method === 'transaction-log'
      ? `${restoredId} was restored from snapshot and log to ${clean.restoredTo}; the newest proven backup before it is ${clean.provenBefore ?? 'none'}`
      : clean && `${restoredId} was restored from the proven backup ${clean.recoveryPointId} of ${clean.restoredTo}`,
    clean && clean.restoredTo < request.until
      ? `that is ${formatSeconds(secondsBetween(new Date(clean.restoredTo), new Date(request.until)))} before the second that was asked for`
      : undefined,
    measured.lossSeconds === undefined
      ? undefined
      : `its newest canary is ${formatSeconds(measured.lossSeconds)} older than the moment that it shows`,
    copyRemoved === undefined
      ? undefined
      : copyRemoved
        ? `${restoredId} was removed`
        : `${restoredId} may still be there, and does not expire once it was made fit: remove it by hand`,
    replacedAt &&
      `it took the place of ${request.databaseId} by ${replacedAt}, in epoch ${epoch}: ${formatSeconds(recoverySeconds ?? 0)} after the request, the objective is ${formatSeconds(objectiveSeconds)}`,
    replacedAt &&
      `the damaged server stands beside it, named -damaged-${epoch}: it holds what was committed after ${clean?.restoredTo}. Codeblue never removes it`,
    protection && `${protection.failbackId} rebuilds the replica in ${protection.oldRegion}`,
  ];
  return lines.filter((line) => line !== undefined);
}

const checkTable = (checks: RecoveryReport['checks']): readonly string[] => [
  '| Question | answer |',
  '| --- | --- |',
  ...checks.map(
    ({ says, result, findings }) => `| ${says} | ${result}${findings.length > 0 ? `: ${findings.slice(0, 3).join('; ')}` : ''} |`,
  ),
  '',
];

const phaseLines = (phases: RecoveryReport['phases']): readonly string[] =>
  [...phaseSeconds(phases)].map(([name, seconds]) => `| ${name} | ${seconds.toFixed(1)} |`);

/** @throws InvalidInput */
export const parseRecoveryReport = (bytes: Uint8Array): RecoveryReport =>
  parseAs(RecoveryReport, JSON.parse(Buffer.from(bytes).toString('utf8')), 'the report of a recovery');
