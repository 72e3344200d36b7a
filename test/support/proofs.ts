import { DatabaseId, Region, timeSlug, timestamp, VerificationId } from '../../functions/common/ids.ts';
import { memorySigner } from '../../functions/memory/signer.ts';
import type { Signer } from '../../functions/verify/ports.ts';
import { Proof, proofBytes, type SignedProof } from '../../functions/verify/proof.ts';

/** A proof of restore of `hms` that ended at that time; `facts` change it. */
export function proofOf(finishedAt: string, facts: Partial<Proof> = {}): Proof {
  const time = new Date(finishedAt);
  const databaseId = facts.databaseId ?? DatabaseId.parse('hms');
  return Proof.parse({
    format: 'codeblue-proof-of-restore/1',
    verificationId: VerificationId.parse(`cbv-${databaseId}-${timeSlug(time)}`),
    databaseId,
    region: Region.parse('us-east-1'),
    purpose: 'backup',
    target: {
      kind: 'recovery-point',
      recoveryPointId: `cb-${databaseId}-daily-20261121t070000z`,
      snapshotId: 'cb-hms-daily-20261121t070000z',
    },
    outcome: 'verified',
    contentRoot: '5e'.repeat(32),
    checks: [{ id: 'rows', says: 'Every table has the rows that it had.', result: 'passed', findings: ['61 tables, 4 000 000 rows'] }],
    measured: { restoreSeconds: 611.4, lossSeconds: 2.5, rows: 4_000_000 },
    startedAt: timestamp(new Date(time.getTime() - 1_800_000)),
    finishedAt: timestamp(time),
    codeSha256: '0c'.repeat(32),
    ...facts,
  });
}

/** The same, signed. */
export async function signedProof(finishedAt: string, facts: Partial<Proof> = {}, signer: Signer = memorySigner()): Promise<SignedProof> {
  const proof = proofOf(finishedAt, facts);
  const { keyId, signature } = await signer.sign(proofBytes(proof));
  return { proof, keyId, signature: Buffer.from(signature).toString('base64') };
}
