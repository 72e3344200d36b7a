import { NoteRefused } from '../errors.ts';
import {
  ED25519_COSIGNATURE,
  isSignedWith,
  type NoteSignature,
  parseSignedNote,
  parseVerifierKey,
  type VerifierKey,
} from './signed-note.ts';

const TIMESTAMP_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** A witness says: at this time, the largest tree that it had seen of this log, consistent with all before, was this one. */
export interface Cosignature {
  /** The witness's name. */
  readonly witness: string;
  /** By the witness's clock. */
  readonly at: Date;
}

/** Key of a witness (type 0x04). @throws NoteRefused */
export function parseWitnessKey(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (key.type !== ED25519_COSIGNATURE) throw new NoteRefused(`the key of ${key.name} is no cosigner's (type 0x04)`);
  return key;
}

/**
 * The cosignatures of known witnesses in a note (C2SP tlog-cosignature), one each. Signatures of others are passed over.
 *
 * @throws NoteRefused when one of a known witness does not belong to the note
 */
export function cosignaturesIn(note: string, witnessKeys: readonly string[]): readonly Cosignature[] {
  const { text, signatures } = parseSignedNote(note);
  return witnessKeys.map(parseWitnessKey).flatMap((key) => {
    const [first] = signatures.filter((signature) => isOf(key, signature)).map((signature) => openCosignature(text, signature, key));
    return first ? [first] : [];
  });
}

export const isOf = (key: VerifierKey, { name, keyId }: NoteSignature): boolean => name === key.name && keyId === key.keyId;

/**
 * Eight bytes of time (seconds since 1970, big-endian), then Ed25519 over the line `cosignature/v1`, a line with the time, and the text.
 *
 * @throws NoteRefused
 */
export function openCosignature(text: string, { signature }: NoteSignature, key: VerifierKey): Cosignature {
  if (signature.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES)
    throw new NoteRefused(`the cosignature of ${key.name} has ${signature.length} bytes`);
  const seconds = Buffer.from(signature).readBigUInt64BE();
  // Date ends at 8.64e12 seconds; a witness whose clock says so is of no use.
  if (seconds === 0n || seconds > 8_640_000_000_000n) throw new NoteRefused(`the cosignature of ${key.name} has no time`);
  const message = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
  if (!isSignedWith(key.publicKey, message, signature.subarray(TIMESTAMP_BYTES)))
    throw new NoteRefused(`the cosignature of ${key.name} does not belong to this checkpoint`);
  return { witness: key.name, at: new Date(Number(seconds) * 1000) };
}
