import { audited } from '../../audit/audited.ts';
import type { RecoveryPoint } from '../../backup/models.ts';
import { timestamp } from '../../common/ids.ts';
import type { PortsFor } from '../../common/ports.ts';
import { defineStep, type TaskContext } from '../../common/task.ts';
import { isActive } from '../../failover/lease/active-region.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { adoptVerdict, contradicts } from '../inventory-verdict.ts';
import { VerificationRecord } from '../models.ts';
import { type Proof, proofBytes, type SignedProof } from '../proof.ts';
import { verdictOf } from '../verification.ts';

const recordNeeds = [
  'recovery-points:read',
  'recovery-points:write',
  'signer:sign',
  'proofs:read',
  'proofs:write',
  'coordination:read',
] as const;
type Context = PortsFor<(typeof recordNeeds)[number]> & TaskContext;

/** Forms the verdict, signs the proof, and writes both down (row V7). Repeating it finds the first proof. */
export const recordVerdict = defineStep({
  name: 'record-verdict',
  summary: 'Signs the proof of restore and records the verdict in the inventory.',
  needs: recordNeeds,
  input: VerificationRecord,
  async run(record, context) {
    const { proofs, operations, recoveryPoints } = context;
    const signed = (await proofs.get(record.verificationId)) ?? (await signProof(record, context));
    const { proof } = signed;
    if (await isActive(context)) await adoptVerdict(proof, recoveryPoints);
    await putMetrics(proof, context);
    context.log.info('verification recorded', {
      verificationId: proof.verificationId,
      outcome: proof.outcome,
      deployment: operations.name,
    });
    return { ...record, checks: proof.checks, verdict: proof.outcome, proofId: proof.verificationId };
  },
});

async function signProof(record: VerificationRecord, context: Context): Promise<SignedProof> {
  const { signer, proofs, clock, codeSha256, recoveryPoints } = context;
  const point = record.target.kind === 'recovery-point' ? await recoveryPoints.get(record.target.recoveryPointId) : undefined;
  const { verdict, checks } = verdictOf(withCurrentRoot(record, point));
  const proof: Proof = {
    format: 'codeblue-proof-of-restore/1',
    verificationId: record.verificationId,
    databaseId: record.databaseId,
    region: record.region,
    purpose: record.purpose,
    target: record.target,
    outcome: verdict,
    ...(record.contentRoot ? { contentRoot: record.contentRoot } : {}),
    ...(point?.manifestSha256 ? { manifestSha256: point.manifestSha256 } : {}),
    checks: [...checks],
    measured: record.measured,
    startedAt: record.startedAt,
    finishedAt: timestamp(clock.now()),
    codeSha256,
  };
  const act = {
    actor: 'machine/verify-recovery-point',
    action: 'record-verdict',
    resource: record.verificationId,
    details: {
      outcome: verdict,
      contentRoot: record.contentRoot ?? null,
      failed: checks
        .filter((check) => check.result === 'failed')
        .map((check) => check.id)
        .join(' '),
    },
  };
  return audited(context, act, async () => {
    const { keyId, signature } = await signer.sign(proofBytes(proof));
    const signed = { proof, keyId, signature: Buffer.from(signature).toString('base64') };
    await proofs.put(signed);
    return signed;
  });
}

/** Another verification may have fixed the content root while this one was comparing: it is asked for once more. */
function withCurrentRoot(record: VerificationRecord, point: RecoveryPoint | undefined): VerificationRecord {
  if (record.contentRoot === undefined || !contradicts(point, record.contentRoot)) return record;
  const check = {
    id: 'content-root',
    says: 'The content is the one that the first verified restore of this backup had.',
    result: 'failed' as const,
    findings: [`it is ${record.contentRoot}, and was ${point?.contentRoot}`],
  };
  return { ...record, checks: [...record.checks.filter(({ id }) => id !== check.id), check] };
}

async function putMetrics(proof: Proof, { metrics }: Context): Promise<void> {
  const dimensions = { Database: proof.databaseId };
  const put = (name: string, value: number | undefined, unit: 'Seconds' | 'Count') =>
    value === undefined ? Promise.resolve() : metrics.put({ capability: 'verify', name, value, unit, dimensions });
  await put(metricNames.verify.refused, proof.outcome === 'refused' ? 1 : 0, 'Count');
  await put(metricNames.verify.restoreSeconds, proof.measured.restoreSeconds, 'Seconds');
  await put(metricNames.verify.lossSeconds, proof.measured.lossSeconds, 'Seconds');
}
