import type { Proofs } from '../../functions/verify/ports.ts';
import { proofBytes, SignedProof } from '../../functions/verify/proof.ts';
import type { Regions } from '../regions.ts';
import { SealedFiles } from './sealed-files.ts';

/** Proofs of restore as encrypted files of the region that judged; they are found in whichever regions can be reached. */
export function labProofs(regions: Regions): Proofs {
  const reachable = (): readonly SealedFiles[] =>
    regions.names.filter((name) => !regions.isDenied(name)).map((name) => new SealedFiles(regions.use(name), 'proofs'));
  const read = (files: SealedFiles, id: string): SignedProof | undefined => {
    const bytes = files.get(id);
    return bytes && SignedProof.parse(JSON.parse(bytes.toString('utf8')));
  };
  return {
    async put(signed) {
      proofBytes(signed.proof); // Refuses what could not be verified later.
      new SealedFiles(regions.use(signed.proof.region), 'proofs').put(signed.proof.verificationId, Buffer.from(JSON.stringify(signed)));
    },
    async get(verificationId) {
      for (const files of reachable()) {
        const found = read(files, verificationId);
        if (found) return found;
      }
      return undefined;
    },
    async list(databaseId, limit) {
      return reachable()
        .flatMap((files) => files.names().flatMap((name) => read(files, name) ?? []))
        .filter(({ proof }) => proof.databaseId === databaseId)
        .sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1))
        .slice(0, limit);
    },
  };
}

const sortKey = ({ proof }: SignedProof): string => `${proof.finishedAt} ${proof.verificationId}`;
