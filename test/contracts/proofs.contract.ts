import { beforeEach, describe, expect, it } from 'vitest';
import { Conflict } from '../../functions/common/errors.ts';
import { DatabaseId, VerificationId } from '../../functions/common/ids.ts';
import type { Proofs } from '../../functions/verify/ports.ts';
import { signedProof } from '../support/proofs.ts';

/** What every store of proofs must do. */
export function proofsContract(makePort: () => Promise<Proofs>): void {
  describe('the proofs', () => {
    let proofs: Proofs;
    beforeEach(async () => {
      proofs = await makePort();
    });

    it('gives back exactly what was stored', async () => {
      const signed = await signedProof('2026-11-21T07:30:00Z');
      await proofs.put(signed);
      expect(await proofs.get(signed.proof.verificationId)).toEqual(signed);
      expect(await proofs.get(VerificationId.parse('cbv-hms-never'))).toBeUndefined();
    });

    it('takes the same proof again', async () => {
      const signed = await signedProof('2026-11-21T07:30:00Z');
      await proofs.put(signed);
      await proofs.put(signed);
      expect(await proofs.list(DatabaseId.parse('hms'), 10)).toEqual([signed]);
    });

    it('never replaces a proof', async () => {
      const signed = await signedProof('2026-11-21T07:30:00Z', { outcome: 'refused' });
      await proofs.put(signed);
      const other = { ...signed, proof: { ...signed.proof, outcome: 'verified' as const } };
      await expect(proofs.put(other)).rejects.toThrow(Conflict);
      expect(await proofs.get(signed.proof.verificationId)).toEqual(signed);
    });

    it('lists those of one database, newest first, and no more than asked for', async () => {
      const early = await signedProof('2026-11-20T07:30:00Z');
      const late = await signedProof('2026-11-21T07:30:00Z');
      const middle = await signedProof('2026-11-20T19:30:00Z');
      const other = await signedProof('2026-11-21T09:30:00Z', { databaseId: DatabaseId.parse('billing') });
      for (const signed of [early, late, middle, other]) await proofs.put(signed);
      expect(await proofs.list(DatabaseId.parse('hms'), 10)).toEqual([late, middle, early]);
      expect(await proofs.list(DatabaseId.parse('hms'), 2)).toEqual([late, middle]);
    });
  });
}
