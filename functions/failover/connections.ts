import type { DatabaseId, Region } from '../common/ids.ts';
import type { Fence, Fences } from './ports.ts';

/** Connections to live databases that stay open from tick to tick: making one costs more than what is asked over it. */
export interface Connections {
  /** @throws what `Fences.open` throws */
  to(databaseId: DatabaseId, region: Region): Promise<Fence>;
  /** Gives a connection up, without waiting for the other end: it may be gone. The next use makes a new one. */
  forget(databaseId: DatabaseId, region: Region): void;
  /** Ends them all; one that is still being made ends when it is there. */
  end(): void;
}

export function connectionsOver(fences: Fences): Connections {
  const open = new Map<string, Fence>();
  let ended = false;
  const keyOf = (databaseId: DatabaseId, region: Region) => `${databaseId}/${region}`;
  const drop = (fence: Fence | undefined): void => void fence?.end().catch(() => {});
  return {
    async to(databaseId, region) {
      const key = keyOf(databaseId, region);
      const known = open.get(key);
      if (known) return known;
      const made = await fences.open(databaseId, region);
      // Whoever asked may have given up waiting, and somebody else may have made one since.
      const other = open.get(key);
      if (other || ended) drop(made);
      else open.set(key, made);
      return other ?? made;
    },
    forget(databaseId, region) {
      drop(open.get(keyOf(databaseId, region)));
      open.delete(keyOf(databaseId, region));
    },
    end() {
      ended = true;
      for (const fence of open.values()) drop(fence);
      open.clear();
    },
  };
}
