import { InvalidInput } from '../../common/errors.ts';
import { NoteRefused } from '../errors.ts';
import { EventBody } from '../events/event.ts';
import { canonicalJson, commitmentTo, Leaf } from '../events/leaf.ts';
import { openNote } from '../log/checkpoint.ts';
import { cosignaturesIn } from '../log/cosignature.ts';
import { leafHash } from '../log/merkle.ts';
import type { Checkpoint } from '../log/models.ts';
import { isIncluded } from '../log/proofs.ts';
import { parseSignedNote, parseVerifierKey } from '../log/signed-note.ts';
import { ProofExtra } from './proof-extra.ts';
import { parseTlogProofs, type TlogProof } from './tlog-proof.ts';

/** One question that was put to a proof. */
export interface ProofCheck {
  readonly question: 'signature' | 'leaf' | 'inclusion' | 'body' | 'cosignatures';
  readonly outcome: 'passed' | 'failed' | 'not-checked';
  /** One sentence, for people. Without anything out of the event. */
  readonly says: string;
}

export interface ProofVerdict {
  /** Nothing failed. What was not checked is among the checks. */
  readonly holds: boolean;
  readonly index: number;
  /** Whose signature on it is right. */
  readonly checkpoint?: Checkpoint;
  /** As it is in the log; only when it is. */
  readonly leaf?: Leaf;
  /** The event that the leaf commits to; only when it does. */
  readonly body?: EventBody;
  readonly checks: readonly ProofCheck[];
}

export interface BundleVerdict {
  /** All proofs hold, and there is one at least. */
  readonly holds: boolean;
  readonly proofs: readonly ProofVerdict[];
}

export interface WitnessTrust {
  /** Verifier keys of witnesses (type 0x04). */
  readonly keys: readonly string[];
  /** Of how many of them every checkpoint must carry a cosignature. */
  readonly quorum: number;
}

/**
 * Verifies a file of proofs with nothing but the file and keys that one trusts already.
 *
 * @param text of a `.tlog-proof`
 * @param verifierKeys of logs; those that the file itself could bring along prove nothing
 * @throws InvalidInput when the file is no `.tlog-proof`, or no key is given; NoteRefused when a key is not well formed
 */
export function verifyBundle(text: string, verifierKeys: readonly string[], witnesses?: WitnessTrust): BundleVerdict {
  if (verifierKeys.length === 0)
    throw new InvalidInput('a proof is verified with the verifier key of its log, and none is given', {
      hint: "It must come from whom you trust, not with the proof: the hospital's own records, or what was published of old.",
    });
  for (const key of [...verifierKeys, ...(witnesses?.keys ?? [])]) parseVerifierKey(key);
  const proofs = parseTlogProofs(text).map((proof) => verifyProof(proof, verifierKeys, witnesses));
  return { holds: proofs.length > 0 && proofs.every(({ holds }) => holds), proofs };
}

function verifyProof(proof: TlogProof, verifierKeys: readonly string[], witnesses: WitnessTrust | undefined): ProofVerdict {
  const signature = checkSignature(proof, verifierKeys);
  const leaf = checkLeaf(proof);
  const inclusion = checkInclusion(proof, signature.checkpoint, leaf.extra);
  const isIn = inclusion.outcome === 'passed';
  const body = checkBody(leaf.extra, leaf.leaf);
  const checks = [
    signature.check,
    leaf.check,
    inclusion,
    body.check,
    checkCosignatures(proof, signature.checkpoint !== undefined, witnesses),
  ];
  return {
    holds: checks.every(({ outcome }) => outcome !== 'failed'),
    index: proof.index,
    ...(signature.checkpoint ? { checkpoint: signature.checkpoint } : {}),
    ...(isIn && leaf.leaf ? { leaf: leaf.leaf } : {}),
    ...(isIn && body.body ? { body: body.body } : {}),
    checks,
  };
}

function checkSignature({ checkpoint }: TlogProof, verifierKeys: readonly string[]): { check: ProofCheck; checkpoint?: Checkpoint } {
  const question = 'signature';
  try {
    const { signatures } = parseSignedNote(checkpoint);
    const key = verifierKeys.find((each) => {
      const { name, keyId } = parseVerifierKey(each);
      return signatures.some((signature) => signature.name === name && signature.keyId === keyId);
    });
    if (key === undefined) return { check: { question, outcome: 'failed', says: 'The checkpoint is signed by none of the given keys.' } };
    const opened = openNote(checkpoint, key);
    const says = `The checkpoint of ${opened.size} entries is signed by the key of ${opened.origin}.`;
    return { check: { question, outcome: 'passed', says }, checkpoint: opened };
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error;
    return { check: { question, outcome: 'failed', says: `The checkpoint is refused: ${error.message}.` } };
  }
}

/** The entry's bytes must be the one canonical form of a leaf, so that nobody can read another meaning into them. */
function checkLeaf({ extra: bytes }: TlogProof): { check: ProofCheck; extra?: ProofExtra; leaf?: Leaf } {
  const failed = (says: string): { check: ProofCheck } => ({ check: { question: 'leaf', outcome: 'failed', says } });
  if (!bytes) return failed('The proof does not carry the entry that it is of.');
  const parsed = ProofExtra.safeParse(jsonOf(Buffer.from(bytes).toString()));
  if (!parsed.success) return failed('What the proof carries is not an entry of a log of Codeblue.');
  const extra = parsed.data;
  const leaf = Leaf.safeParse(jsonOf(extra.leaf));
  if (!leaf.success || canonicalJson(leaf.data) !== extra.leaf) return { ...failed('The entry is not a leaf in canonical form.'), extra };
  return { check: { question: 'leaf', outcome: 'passed', says: 'The entry is a leaf in canonical form.' }, extra, leaf: leaf.data };
}

function checkInclusion({ index, proof }: TlogProof, checkpoint: Checkpoint | undefined, extra: ProofExtra | undefined): ProofCheck {
  const question = 'inclusion';
  if (!checkpoint || !extra) return { question, outcome: 'failed', says: 'Without a signed checkpoint and an entry nothing is proven.' };
  const { size, root } = checkpoint;
  const says = `entry ${index} of the ${size} that the checkpoint signs for.`;
  return isIncluded({ index, size, root, proof, leafHash: leafHash(Buffer.from(extra.leaf)) })
    ? { question, outcome: 'passed', says: `It is ${says}` }
    : { question, outcome: 'failed', says: `It is not ${says}` };
}

function checkBody(extra: ProofExtra | undefined, leaf: Leaf | undefined): { check: ProofCheck; body?: EventBody } {
  const told = (outcome: ProofCheck['outcome'], says: string): { check: ProofCheck } => ({ check: { question: 'body', outcome, says } });
  if (!extra || !leaf) return told('failed', 'Without a leaf no event can be compared with it.');
  if (leaf.format !== 'codeblue-audit-leaf/1') return told('not-checked', 'The entry is the link to an older log: it has no event.');
  const { body, salt } = extra;
  if (body === undefined && salt === undefined)
    return told(
      'not-checked',
      'The event itself is not in the file: it was erased, or left out. That it was logged, when, and as which action is proven all the same.',
    );
  if (body === undefined || salt === undefined) return told('failed', 'Event and salt belong together, and one of them is missing.');
  const saltBytes = Buffer.from(salt, 'base64');
  if (saltBytes.length !== 32 || commitmentTo(body, saltBytes) !== leaf.commitment)
    return told('failed', 'The event is not the one that the entry commits to.');
  const parsed = EventBody.safeParse(jsonOf(body));
  if (!parsed.success || canonicalJson(parsed.data) !== body) return told('failed', 'The event is not one in canonical form.');
  const { eventId, action, outcome } = parsed.data;
  if (eventId !== leaf.eventId || action !== leaf.action || outcome !== leaf.outcome)
    return told('failed', 'The event and its entry name different things.');
  return { ...told('passed', 'The event is the one that the entry commits to.'), body: parsed.data };
}

function checkCosignatures({ checkpoint }: TlogProof, isSigned: boolean, witnesses: WitnessTrust | undefined): ProofCheck {
  const question = 'cosignatures';
  if (!witnesses || witnesses.keys.length === 0)
    return {
      question,
      outcome: 'not-checked',
      says: 'No key of a witness was given: whether the log showed others another history is not checked.',
    };
  if (!isSigned) return { question, outcome: 'failed', says: 'Cosignatures count for a checkpoint that the log signed.' };
  try {
    const names = cosignaturesIn(checkpoint, witnesses.keys).map(({ witness }) => witness);
    const says = `${names.length} of ${witnesses.keys.length} known witnesses cosigned${names.length > 0 ? ` (${names.join(', ')})` : ''}; wanted: ${witnesses.quorum}.`;
    return { question, outcome: names.length >= witnesses.quorum ? 'passed' : 'failed', says };
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error;
    return { question, outcome: 'failed', says: `A cosignature is refused: ${error.message}.` };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
