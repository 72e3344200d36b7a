import { createHash } from 'node:crypto';
import { type DatabaseId, type Region, timeSlug, timestamp, VerificationId } from '../common/ids.ts';
import type { Check, Target, VerificationRecord } from './models.ts';

/** The record that a verification starts with. The id is the execution's name: the same request starts it once. */
export function newVerification(request: {
  readonly databaseId: DatabaseId;
  readonly region: Region;
  readonly purpose: VerificationRecord['purpose'];
  readonly target: Target;
  readonly now: Date;
  /** Tells apart several verifications of one target: the time they were due, or a number. */
  readonly attempt?: string | number;
}): VerificationRecord {
  const { databaseId, region, purpose, target, now, attempt = 1 } = request;
  const subject =
    target.kind === 'recovery-point' ? target.snapshotId.replace(/^cb-/, '') : `${databaseId}-pitr-${timeSlug(new Date(target.time))}`;
  return {
    verificationId: verificationId(subject, [target.kind, subject, region, purpose, attempt].join('/')),
    databaseId,
    region,
    purpose,
    target,
    startedAt: timestamp(now),
    checks: [],
    measured: {},
  };
}

/**
 * RDS identifiers end at 63 characters and the restored database is named after the verification: the subject is there for people, the
 * digest of everything that tells verifications apart makes it unique.
 */
function verificationId(subject: string, identity: string): VerificationId {
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 10);
  return VerificationId.parse(`cbv-${subject.slice(0, 46).replace(/-+$/, '')}-${digest}`);
}

/** Whose act it is in the audit log: a recovery restores and removes with the same steps. */
export const machineOf = ({ purpose }: Pick<VerificationRecord, 'purpose'>): string =>
  purpose === 'recovery' ? 'machine/recover-database' : 'machine/verify-recovery-point';

/** Checks that must be present and passed before anything is called verified. A check that did not run is a refusal. */
const always = ['restore', 'identity', 'window', 'schema', 'foreign-keys', 'indexes', 'constraints', 'sequences', 'teardown'];
const requiredChecks: Record<Target['kind'], readonly string[]> = {
  'recovery-point': ['integrity', ...always, 'rows', 'content'],
  'point-in-time': always,
};

export interface Verdict {
  readonly verdict: 'verified' | 'refused';
  readonly checks: readonly Check[];
}

/**
 * The verdict over everything that a verification found. Pure.
 * Verified means: no state of the machine failed, no check failed, and every required check ran and passed.
 */
export function verdictOf(record: VerificationRecord): Verdict {
  const failure = failureCheck(record);
  const teardown = teardownCheck(record);
  const checks = [
    ...record.checks.filter((check) => check.id !== failure?.id),
    ...(failure ? [failure] : []),
    ...(teardown ? [teardown] : []),
  ];
  return judged(checks, requiredChecks[record.target.kind]);
}

/** The same verdict while the copy still stands, for one that is to be used: everything but its removal. Pure. */
export const soundnessOf = ({ checks, target }: Pick<VerificationRecord, 'checks' | 'target'>): Verdict =>
  judged(
    checks,
    requiredChecks[target.kind].filter((id) => id !== 'teardown'),
  );

function judged(checks: readonly Check[], required: readonly string[]): Verdict {
  const missing = required.filter((id) => !checks.some((check) => check.id === id && check.result === 'passed'));
  const unanswered = missing.filter((id) => !checks.some((check) => check.id === id && check.result === 'failed'));
  const completed: Check = {
    id: 'completed',
    says: 'Every required question was asked and answered.',
    result: unanswered.length === 0 ? 'passed' : 'failed',
    findings: unanswered.map((id) => `no answer to "${id}"`),
  };
  const all = [...checks, completed];
  return { verdict: missing.length === 0 && all.every((check) => check.result !== 'failed') ? 'verified' : 'refused', checks: all };
}

/** The check that a failed state of the machine stands for. */
const failedCheckId: Readonly<Record<string, string>> = {
  BackupDamaged: 'integrity',
  RestoreFailed: 'restore',
  RestoreTimedOut: 'restore',
  TeardownTimedOut: 'teardown',
};

function failureCheck({ failure }: VerificationRecord): Check | undefined {
  if (!failure) return undefined;
  const id = failedCheckId[failure.Error] ?? 'machine';
  const says = id === 'machine' ? 'Every state of the verification ended well.' : checkSentences[id as keyof typeof checkSentences];
  return { id, says, result: 'failed', findings: [`${failure.Error}: ${causeMessage(failure.Cause)}`] };
}

/** Lambda wraps the message of a thrown error in JSON; anything else is shown as it is. */
function causeMessage(cause: string | undefined): string {
  if (!cause) return 'no cause given';
  try {
    const parsed: unknown = JSON.parse(cause);
    if (parsed && typeof parsed === 'object' && 'errorMessage' in parsed) return String(parsed.errorMessage).slice(0, 500);
  } catch {
    // Not JSON: Step Functions' own causes are plain sentences.
  }
  return cause.slice(0, 500);
}

function teardownCheck({ teardown, failure }: VerificationRecord): Check | undefined {
  if (failure && failedCheckId[failure.Error] === 'teardown') return undefined;
  const removed = teardown?.status === 'removed';
  return {
    id: 'teardown',
    says: checkSentences.teardown,
    result: removed ? 'passed' : 'failed',
    findings: removed ? [`removed at ${teardown.removedAt}`] : ['no receipt: the restored database may still exist'],
  };
}

/** What the checks of the machine itself ask; those of the content are in judge.ts. */
export const checkSentences = {
  integrity: 'The stored bytes are the bytes that were stored.',
  restore: 'The backup restores to a running database.',
  teardown: 'The restored database was removed, and it is gone.',
} as const;

export const passed = (id: keyof typeof checkSentences, ...findings: string[]): Check => ({
  id,
  says: checkSentences[id],
  result: 'passed',
  findings,
});
