import { isDeepStrictEqual } from 'node:util';
import { Conflict } from '../common/errors.ts';
import type { Proofs } from '../verify/ports.ts';
import { SignedProof } from '../verify/proof.ts';
import type { ItemStore } from './item-store.ts';
import { items, toJson } from './items.ts';

export function memoryProofs(store: ItemStore): Proofs {
  const proofs = items(store, 'proofs', SignedProof);
  return {
    async put(signed) {
      const id = signed.proof.verificationId;
      const stored = proofs.get(id);
      if (stored && isDeepStrictEqual(toJson(stored.value), toJson(signed))) return;
      if (stored) throw new Conflict(`another proof ${id} is stored already; proofs are immutable`);
      proofs.put(id, signed, 'absent');
    },
    async get(verificationId) {
      return proofs.get(verificationId)?.value;
    },
    async list(databaseId, limit) {
      return proofs
        .list()
        .filter((signed) => signed.proof.databaseId === databaseId)
        .sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1))
        .slice(0, limit);
    },
  };
}

const sortKey = ({ proof }: SignedProof) => `${proof.finishedAt}#${proof.verificationId}`;
