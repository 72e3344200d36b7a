import { audited } from '../../functions/audit/audited.ts';
import type { RecoveryPoint, RestoredDatabase } from '../../functions/backup/models.ts';
import { formatSeconds, minutes } from '../../functions/common/duration.ts';
import { InvalidInput, ServiceUnavailable } from '../../functions/common/errors.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import type { VerificationRecord } from '../../functions/verify/models.ts';
import type { Proof, SignedProof } from '../../functions/verify/proof.ts';
import { newVerification } from '../../functions/verify/verification.ts';
import type { Report } from '../progress.ts';
import { type Cell, table } from '../render/table.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';
import { chooseDatabase } from './restore-plan.ts';

export const verifyPorts = ['auditLog', 'databases', 'executions', 'proofs', 'recoveryPoints'] as const;
type VerifySession = Session<(typeof verifyPorts)[number]>;

export interface VerifyOptions {
  readonly recoveryPoint?: string;
  readonly database?: string;
}

/** The backup to verify, and its snapshot in the session's Region: it is restored there. @throws InvalidInput when there is none to be had */
export async function pickForVerification(
  { ports, operations, region }: VerifySession,
  options: VerifyOptions,
): Promise<{ readonly point: RecoveryPoint; readonly region: Region; readonly snapshotId: string }> {
  const database = chooseDatabase(operations, options.database, options.recoveryPoint);
  const points = [...(await ports.recoveryPoints.list(database.id))].sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  const named = options.recoveryPoint === undefined ? points : points.filter(({ id }) => id === options.recoveryPoint);
  const list = `codeblue backup list --database ${database.id} --all shows what there is.`;
  if (named.length === 0) {
    const what = options.recoveryPoint === undefined ? 'has no backups yet' : `has no backup ${options.recoveryPoint}`;
    throw new InvalidInput(`${database.id} ${what}`, { hint: list });
  }
  for (const point of named) {
    const location = point.locations.find((each) => each.region === region && each.status === 'available');
    if (location) return { point, region, snapshotId: location.snapshotId };
  }
  throw new InvalidInput(`no backup of ${database.id} that was asked for is available in ${region}`, {
    hint: `A backup can be verified once it is stored; ${list}`,
  });
}

const pollMilliseconds = 5_000;

/**
 * Starts a verification and follows it to its signed proof.
 *
 * @throws ServiceUnavailable when the machine ended without a proof, or did not end in time
 */
export async function verify(
  session: VerifySession,
  { point, region, snapshotId }: Awaited<ReturnType<typeof pickForVerification>>,
  operator: string,
  report: Report,
): Promise<SignedProof> {
  const { ports, clock } = session;
  const record = await start(session, { point, region, snapshotId }, operator);
  const limit = session.operations.verification.restoreLimit + minutes(60);
  const deadline = clock.now().getTime() + limit * 1000;
  let seen: RestoredDatabase | undefined;
  for (;;) {
    // Asked before the proof: once it is over the proof must be there.
    const execution = await ports.executions.describe({ region, machine: 'verify-recovery-point', name: record.verificationId });
    const proof = await ports.proofs.get(record.verificationId);
    if (proof) return proof;
    if (execution !== undefined && execution.status !== 'running') {
      throw new ServiceUnavailable(`verification ${record.verificationId} ended (${execution.status}) without a proof`, {
        hint: `The execution of that name in ${region} shows the state that failed; run the command again to start a new one.`,
      });
    }
    if (clock.now().getTime() > deadline) {
      throw new ServiceUnavailable(`verification ${record.verificationId} has not ended after ${formatSeconds(limit)}`, {
        hint: `Look at the execution of that name in ${region}.`,
      });
    }
    const now = await ports.databases.describeRestored({ region, restoredId: record.verificationId });
    report(stageOf(seen, now));
    seen = now ?? seen;
    await clock.sleep(pollMilliseconds);
  }
}

async function start(
  { ports, clock, region: home }: VerifySession,
  { point, region, snapshotId }: Awaited<ReturnType<typeof pickForVerification>>,
  operator: string,
): Promise<VerificationRecord> {
  const target = { kind: 'recovery-point', recoveryPointId: point.id, snapshotId } as const;
  const now = clock.now();
  // An id of its own for each time that a person asks: an execution's name cannot be used twice.
  const record = newVerification({ databaseId: point.databaseId, region, purpose: 'on-demand', target, now, attempt: timestamp(now) });
  const act = { actor: `cli/${operator}`, action: 'start-verification', resource: record.verificationId, details: { region } };
  await audited({ auditLog: ports.auditLog, clock, region: home }, act, () =>
    ports.executions.start({ region, machine: 'verify-recovery-point', name: record.verificationId, input: record }),
  );
  return record;
}

function stageOf(before: RestoredDatabase | undefined, now: RestoredDatabase | undefined): string {
  if (now?.status === 'creating') return 'restoring into isolation';
  if (now?.status === 'available') return 'comparing what came back';
  if (now !== undefined) return 'tearing the restored database down';
  return before === undefined ? 'checking the stored bytes' : 'signing the proof';
}

const signs = { passed: '✓', failed: '✗', 'not-applicable': '-' } as const;

/** The verdict, what was measured, and every check; findings of the failed ones in full. */
export function renderProof({ proof, keyId }: SignedProof, { colours }: Pick<Terminal, 'colours'>): string {
  const paints = { passed: colours.green, failed: colours.red, 'not-applicable': colours.dim } as const;
  const verdict = proof.outcome === 'verified' ? colours.green('VERIFIED') : colours.red('REFUSED');
  const subject = proof.target.kind === 'recovery-point' ? proof.target.recoveryPointId : `${proof.databaseId} at ${proof.target.time}`;
  const rows = proof.checks.map(({ id, result, says }): Cell[] => [{ text: `${signs[result]} ${id}`, paint: paints[result] }, says]);
  const failed = proof.checks.filter(({ result }) => result === 'failed');
  const findings = failed.flatMap(({ id, findings: list }) => [colours.red(`${id}:`), ...list.map((finding) => `  ${finding}`)]);
  return [
    `${verdict}  ${subject} in ${proof.region}`,
    ...measuredLines(proof),
    '',
    table(['CHECK', 'ASKS'], rows, colours.bold),
    ...(findings.length > 0 ? ['', ...findings] : []),
    '',
    `proof ${proof.verificationId}, signed with ${keyId}`,
  ].join('\n');
}

function measuredLines({ measured, contentRoot }: Proof): string[] {
  const lines: (readonly [string, number | undefined])[] = [
    ['restored in', measured.restoreSeconds],
    ['data loss', measured.lossSeconds],
    ['checked in', measured.checkSeconds],
  ];
  const timed = lines.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(13)}${formatSeconds(value)}`]));
  const where = measured.tables === undefined ? '' : ` in ${measured.tables} tables`;
  const counted = measured.rows === undefined ? [] : [`  ${'content'.padEnd(13)}${measured.rows.toLocaleString('en-US')} rows${where}`];
  return [...timed, ...counted, ...(contentRoot ? [`  ${'content root'.padEnd(13)}${contentRoot}`] : [])];
}
