import { z } from 'zod';
import { Conflict } from '../common/errors.ts';
import { VerificationId } from '../common/ids.ts';
import type { Proofs } from '../verify/ports.ts';
import { SignedProof } from '../verify/proof.ts';
import { immutableObjects } from './s3-objects.ts';
import type { AwsSettings } from './settings.ts';
import { stateItems, stateKeys } from './state-items.ts';

/**
 * A proof is stored three times: as an object in this Region's bucket (the evidence: written once, under Object Lock), as an
 * item of the global state table (so that every Region can read it), and as a line of the list by time. In that order: what
 * the list names exists, and a call that was interrupted is completed by repeating it.
 */
export function proofsPort(settings: AwsSettings): Proofs {
  const { region, operations } = settings;
  const objects = immutableObjects(operations);
  const proofs = stateItems(settings, SignedProof);
  const byTime = stateItems(settings, z.strictObject({ verificationId: VerificationId }));
  const onceOnly = async (put: Promise<void>) => {
    try {
      await put;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error; // the object is the judge of sameness, and it has agreed
    }
  };
  return {
    async put(signed) {
      const { verificationId, databaseId, finishedAt } = signed.proof;
      const bytes = new TextEncoder().encode(JSON.stringify(SignedProof.parse(signed), undefined, 2));
      await objects.put(region, `proofs/${databaseId}/${verificationId}.json`, bytes, 'application/json');
      await onceOnly(proofs.put(stateKeys.proof(verificationId), signed, 0));
      await onceOnly(byTime.put(stateKeys.proofByTime(databaseId, finishedAt, verificationId), { verificationId }, 0));
    },
    async get(verificationId) {
      return (await proofs.get(stateKeys.proof(verificationId)))?.body;
    },
    async list(databaseId, limit) {
      const found: SignedProof[] = [];
      if (limit <= 0) return found;
      for await (const { verificationId } of byTime.list(`proofs#${databaseId}`, 'descending')) {
        const signed = (await proofs.get(stateKeys.proof(verificationId)))?.body;
        if (signed) found.push(signed);
        if (found.length === limit) break;
      }
      return found;
    },
  };
}
