import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { Conflict } from '../common/errors.ts';
import { VerificationId } from '../common/ids.ts';
import { parseAs } from '../common/parse.ts';
import type { Proofs } from '../verify/ports.ts';
import { SignedProof } from '../verify/proof.ts';
import { immutableObjects } from './s3-objects.ts';
import type { AwsSettings } from './settings.ts';
import { type StateItems, type StateKey, stateItems, stateKeys } from './state-items.ts';

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
  /** @throws Conflict when another Region stored another proof under this id */
  async function putOnce<T>(items: StateItems<T>, key: StateKey, body: T): Promise<void> {
    try {
      await items.put(key, body, 0);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      const stored = await items.get(key);
      if (!isDeepStrictEqual(stored?.body, body))
        throw new Conflict(`${key.pk} is stored already with other content; proofs are immutable`);
    }
  }
  return {
    async put(given) {
      const signed = parseAs(SignedProof, JSON.parse(JSON.stringify(given)), 'the proof to store');
      const { verificationId, databaseId, finishedAt } = signed.proof;
      const bytes = new TextEncoder().encode(JSON.stringify(signed, undefined, 2));
      await objects.put(region, `proofs/${databaseId}/${verificationId}.json`, bytes, 'application/json');
      await putOnce(proofs, stateKeys.proof(verificationId), signed);
      await putOnce(byTime, stateKeys.proofByTime(databaseId, finishedAt, verificationId), { verificationId });
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
