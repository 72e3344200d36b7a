import { audited } from '../../audit/audited.ts';
import type { Location, RecoveryPoint, VerificationSummary } from '../../backup/models.ts';
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
 * The inventory line after a verdict. What must be true of it:
 * - each location carries the newest verdict on itself, in whatever order verdicts arrive;
 * - the point is verified exactly while some available location is. A refusal of one location (a damaged copy) does not unverify
 *   the point while another one stands; where no available location was judged, the newest verdict on any of them counts;
 * - a refused copy is marked failed while another location stands, so that it is neither used nor counted, and a new one is made.
 *   A refused home snapshot is kept, because a refusal can have other causes than damage, but it is not copied any more;
 * - the content root is fixed by the first verified restore. A restore that "verified" other content is a refusal.
 */
export function withVerdict(point: RecoveryPoint, proof: Proof, snapshotId: string, at: Timestamp): RecoveryPoint {
  const outcome = proof.outcome === 'verified' && !contradicts(point, proof.contentRoot) ? 'verified' : 'refused';
  const verdict = { verificationId: proof.verificationId, outcome, at } as const;
  const judged = point.locations.map((location) => {
    const here = location.region === proof.region && location.snapshotId === snapshotId;
    return here && !(location.verdict && location.verdict.at > at) ? withOwnVerdict(location, verdict) : location;
  });
  const stands = judged.some(isStanding);
  const locations = judged.map((location) =>
    stands && location.role === 'copy' && location.status === 'available' && location.verdict?.outcome === 'refused'
      ? ({ ...location, status: 'failed' } as const)
      : location,
  );
  const root = point.contentRoot ?? (outcome === 'verified' ? proof.contentRoot : undefined);
  const verification = verdictOnPoint(locations);
  return { ...point, locations, ...(verification ? { verification } : {}), ...(root ? { contentRoot: root } : {}) };
}

/** Whether a restore showed other content than the first verified one of the same backup. */
const contradicts = (point: RecoveryPoint | undefined, root: string | undefined): boolean =>
  point?.contentRoot !== undefined && point.contentRoot !== root;

function withOwnVerdict({ verifiedAt: _, ...location }: Location, verdict: VerificationSummary): Location {
  return { ...location, verdict, ...(verdict.outcome === 'verified' ? { verifiedAt: verdict.at } : {}) };
}

const isStanding = ({ status, verdict }: Location): boolean => status === 'available' && verdict?.outcome === 'verified';

function verdictOnPoint(locations: readonly Location[]): VerificationSummary | undefined {
  const newestOf = (among: readonly Location[]) =>
    among.flatMap(({ verdict }) => (verdict ? [verdict] : [])).sort((a, b) => b.at.localeCompare(a.at))[0];
  return (
    newestOf(locations.filter(isStanding)) ?? newestOf(locations.filter(({ status }) => status === 'available')) ?? newestOf(locations)
  );
}

async function putMetrics(proof: Proof, { metrics }: Context): Promise<void> {
  const dimensions = { Database: proof.databaseId };
  const put = (name: string, value: number | undefined, unit: 'Seconds' | 'Count') =>
    value === undefined ? Promise.resolve() : metrics.put({ capability: 'verify', name, value, unit, dimensions });
  await put(metricNames.verify.refused, proof.outcome === 'refused' ? 1 : 0, 'Count');
  await put(metricNames.verify.restoreSeconds, proof.measured.restoreSeconds, 'Seconds');
  await put(metricNames.verify.lossSeconds, proof.measured.lossSeconds, 'Seconds');
}
