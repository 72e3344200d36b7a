import { audited } from '../../audit/audited.ts';
import type { RecoveryPoint } from '../../backup/models.ts';
import { Conflict } from '../../common/errors.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import type { PortsFor } from '../../common/ports.ts';
import { defineStep, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { VerificationRecord } from '../models.ts';
import { type Proof, proofBytes, type SignedProof } from '../proof.ts';
import { verdictOf } from '../verification.ts';

const recordNeeds = ['recovery-points:read', 'recovery-points:write', 'signer:sign', 'proofs:read', 'proofs:write'] as const;
type Context = PortsFor<(typeof recordNeeds)[number]> & TaskContext;

/** Forms the verdict, signs the proof, and writes both down (row V7). Repeating it finds the first proof. */
export const recordVerdict = defineStep({
  name: 'record-verdict',
  summary: 'Signs the proof of restore and records the verdict in the inventory.',
  needs: recordNeeds,
  input: VerificationRecord,
  async run(record, context) {
    const { proofs, operations } = context;
    const signed = (await proofs.get(record.verificationId)) ?? (await signProof(record, context));
    const { proof } = signed;
    await updateInventory(proof, context);
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
  const { verdict, checks } = verdictOf(record);
  const point = record.target.kind === 'recovery-point' ? await recoveryPoints.get(record.target.recoveryPointId) : undefined;
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

async function updateInventory(proof: Proof, { recoveryPoints }: Context): Promise<void> {
  if (proof.target.kind !== 'recovery-point') return;
  for (let attempt = 1; ; attempt++) {
    const point = await recoveryPoints.get(proof.target.recoveryPointId);
    if (!point) return; // expired meanwhile: the proof stands by itself
    try {
      await recoveryPoints.update(withVerdict(point, proof, proof.target.snapshotId, proof.finishedAt));
      return;
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === 5) throw error;
    }
  }
}

/**
 * The inventory line after a verdict. A refusal of one location (a damaged copy) does not unverify the point while another
 * location was verified; it marks that location failed, so that it is neither used nor counted, and a new copy is made.
 */
export function withVerdict(point: RecoveryPoint, proof: Proof, snapshotId: string, at: Timestamp): RecoveryPoint {
  const here = (location: RecoveryPoint['locations'][number]) => location.region === proof.region && location.snapshotId === snapshotId;
  const summary = { verificationId: proof.verificationId, outcome: proof.outcome, at };
  if (proof.outcome === 'verified') {
    return {
      ...point,
      verification: summary,
      ...((point.contentRoot ?? proof.contentRoot) ? { contentRoot: point.contentRoot ?? proof.contentRoot } : {}),
      locations: point.locations.map((location) => (here(location) ? { ...location, verifiedAt: at } : location)),
    };
  }
  const verifiedElsewhere = point.locations.some((location) => !here(location) && location.status === 'available' && location.verifiedAt);
  return {
    ...point,
    ...(verifiedElsewhere ? {} : { verification: summary }),
    locations: point.locations.map((location) => {
      if (!here(location)) return location;
      const { verifiedAt: _, ...unverified } = location;
      return verifiedElsewhere && location.role === 'copy' ? { ...unverified, status: 'failed' } : unverified;
    }),
  };
}

async function putMetrics(proof: Proof, { metrics }: Context): Promise<void> {
  const dimensions = { Database: proof.databaseId };
  const put = (name: string, value: number | undefined, unit: 'Seconds' | 'Count') =>
    value === undefined ? Promise.resolve() : metrics.put({ capability: 'verify', name, value, unit, dimensions });
  await put(metricNames.verify.refused, proof.outcome === 'refused' ? 1 : 0, 'Count');
  await put(metricNames.verify.restoreSeconds, proof.measured.restoreSeconds, 'Seconds');
  await put(metricNames.verify.lossSeconds, proof.measured.lossSeconds, 'Seconds');
}
