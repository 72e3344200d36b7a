import { minutes } from '../../common/duration.ts';
import { WitnessesMissing } from '../errors.ts';
import { cosigned } from './cosign.ts';
import { consistencyProof } from './proofs.ts';
import type { StoredTree } from './publish-tree.ts';
import type { SequencerMemory, SequencerPorts } from './sequencer.ts';

/** One that did not answer is waited for ten seconds each time: for so long it is asked only where the quorum is not to be had without it. */
const SILENCE = minutes(1);

export interface CosignedTree {
  readonly note: string;
  /** Witnesses whose cosignature it lacks. */
  readonly late: number;
  /** What those of them say that were asked, a sentence each. */
  readonly says: readonly string[];
}

/**
 * The signed note with what the configured witnesses add to it. Cosignatures that were got below the quorum are kept, so nobody is asked twice for one checkpoint.
 *
 * @throws WitnessesMissing when fewer cosign than the quorum
 */
export async function cosignTree(
  { key, from }: StoredTree,
  signed: NonNullable<SequencerMemory['signed']>,
  ports: SequencerPorts,
  { silentUntil }: SequencerMemory,
): Promise<CosignedTree> {
  const { use, quorum } = ports.operations.audit.witnesses;
  if (use.length === 0) return { note: signed.note, late: 0, says: [] };
  const { auditObjects, region, witnesses } = ports;
  const now = ports.clock.now().getTime();
  const awake = use.filter(({ verifierKey }) => (silentUntil.get(verifierKey) ?? 0) <= now);
  const asked = awake.length < quorum ? use : awake;
  const { note, late, isQuorum } = await cosigned(signed.note, {
    policy: { use: asked, quorum },
    from,
    prove: (old, size) => consistencyProof((path) => auditObjects.get(region, `${key.generation}/${path}`), old, size),
    witnesses,
  });
  signed.note = note;
  for (const { witness } of late.filter(({ why }) => why === 'no-answer')) {
    const silent = asked.find(({ verifierKey }) => verifierKey.startsWith(`${witness}+`));
    if (silent) silentUntil.set(silent.verifierKey, now + 1000 * SILENCE);
  }
  const says = late.map((each) => `${each.witness}: ${each.says}`);
  if (isQuorum) return { note, late: late.length + use.length - asked.length, says };
  throw new WitnessesMissing(`the checkpoint lacks cosignatures: the quorum is ${quorum}, and ${says.join('; ')}`, {
    hint: 'Nothing is lost: events are durable, and integrated as soon as enough witnesses answer. See `audit.witnesses.quorum` of the config.',
  });
}
