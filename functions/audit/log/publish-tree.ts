import { Conflict } from '../../common/errors.ts';
import { LogDamaged } from '../errors.ts';
import { checkpointText, openNote, signedNote } from './checkpoint.ts';
import { type CosignedTree, cosignTree } from './cosign-tree.ts';
import type { LogKey, SequencerMemory, SequencerPorts } from './sequencer.ts';

/** Times that another sequencer may publish between reading the checkpoint and writing it: each makes it larger, so more than a few are a fault. */
const ATTEMPTS = 5;

/** Of witnesses that did not cosign what is published. */
type Late = Omit<CosignedTree, 'note'>;

/** A tree whose entries and tiles are stored. */
export interface StoredTree {
  readonly key: LogKey;
  /** Entries of the tree before it. */
  readonly from: number;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/**
 * Publishes the checkpoint of a tree, unless one as large or larger is published already: only over a smaller one, and only over the very one that was read. What comes late
 * therefore never hides what is newer.
 *
 * @returns how many witnesses did not cosign it, and why; none where it was published already
 * @throws NoteRefused when what is published is not signed by the log's key; LogDamaged when it has this size and another root; WitnessesMissing; ServiceUnavailable; Conflict
 */
export async function publishTree(tree: StoredTree, ports: SequencerPorts, memory: SequencerMemory): Promise<Late> {
  const { region, auditObjects } = ports;
  const { key, size, root } = tree;
  const path = `${key.generation}/checkpoint`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const previous = await auditObjects.get(region, path);
    const published = previous && openNote(Buffer.from(previous).toString(), key.verifierKey);
    if (published && published.size === size && Buffer.compare(published.root, root) !== 0)
      throw new LogDamaged(`another tree of ${size} entries is published in generation ${key.generation}`, {
        hint: 'The key signed two histories: see the runbook AuditLogForked.',
      });
    if (published && published.size >= size) return { late: 0, says: [] };
    const { note, ...late } = await signedTree(tree, ports, memory);
    if (await auditObjects.publishCheckpoint(path, Buffer.from(note), previous)) return late;
  }
  throw new Conflict(`the checkpoint of generation ${key.generation} was replaced ${ATTEMPTS} times while it was being written`);
}

/** Signs, and opens what came of it: a signature that the published key does not confirm is never published. What is signed and wants cosignatures is kept, with those it has. */
async function signedTree(tree: StoredTree, ports: SequencerPorts, memory: SequencerMemory): Promise<CosignedTree> {
  const { key, size, root } = tree;
  const text = checkpointText({ origin: key.origin, size, root });
  if (memory.signed?.text !== text) {
    const signature = await ports.checkpointSigner.sign(key.generation, Buffer.from(text));
    const note = signedNote(text, key.origin, key.publicKey, signature);
    openNote(note, key.verifierKey);
    memory.signed = { text, note };
  }
  return cosignTree(tree, memory.signed, ports, memory);
}
