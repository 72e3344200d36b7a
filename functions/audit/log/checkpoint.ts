import { InvalidInput } from '../../common/errors.ts';
import { NoteRefused } from '../errors.ts';
import { type Checkpoint, HASH_BYTES } from './models.ts';
import { decodeBase64, ED25519, isSignedWith, keyIdOf, parseSignedNote, parseVerifierKey, signatureLine } from './signed-note.ts';

const DECIMAL = /^(0|[1-9][0-9]{0,15})$/;
const KEY_NAME = /^[^\s+]+$/u;
const SIGNATURE_BYTES = 64;

/**
 * What verifies notes of an Ed25519 key, as text (C2SP signed-note): `<name>+<id>+<base64>`.
 *
 * @param name the log's origin
 * @param publicKey raw, 32 bytes
 * @throws InvalidInput
 */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  if (!KEY_NAME.test(name)) throw new InvalidInput(`"${name}" is no name of a key: it holds no space and no plus sign`);
  if (publicKey.length !== 32) throw new InvalidInput(`a public key has 32 bytes, this one has ${publicKey.length}`);
  return `${name}+${keyIdOf(name, ED25519, publicKey)}+${Buffer.concat([Buffer.of(ED25519), publicKey]).toString('base64')}`;
}

/** The text that is signed (C2SP tlog-checkpoint): origin, size and root, a line each. @throws InvalidInput */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  if (origin === '' || /\p{Cc}/u.test(origin)) throw new InvalidInput('the origin of a log is one line of text');
  if (!Number.isSafeInteger(size) || size < 0) throw new InvalidInput(`${size} is not the size of a tree`);
  if (root.length !== HASH_BYTES) throw new InvalidInput(`a root has ${HASH_BYTES} bytes, this one has ${root.length}`);
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/**
 * The text with a signature over it. Signing is deterministic (Ed25519), so the same checkpoint gives the same bytes.
 *
 * @param signature 64 bytes over the UTF-8 of `text`
 * @throws InvalidInput
 */
export function signedNote(text: string, name: string, publicKey: Uint8Array, signature: Uint8Array): string {
  if (signature.length !== SIGNATURE_BYTES)
    throw new InvalidInput(`a signature has ${SIGNATURE_BYTES} bytes, this one has ${signature.length}`);
  if (!text.endsWith('\n')) throw new InvalidInput('the text of a note ends in a line feed');
  return `${text}\n${signatureLine(name, keyIdOf(name, ED25519, publicKey), signature)}\n`;
}

/**
 * The checkpoint in a note, when the key signed it and its origin is the key's name. Signatures of other keys are passed over.
 *
 * @throws NoteRefused
 */
export function openNote(note: string, key: string): Checkpoint {
  const { name, keyId, type, publicKey } = parseVerifierKey(key);
  if (type !== ED25519) throw new NoteRefused(`the key of ${name} is a cosigner's, not a log's`);
  const { text, signatures } = parseSignedNote(note);
  const own = signatures.filter((signature) => signature.name === name && signature.keyId === keyId);
  if (own.length === 0) throw new NoteRefused(`the note is not signed by the key ${keyId} of ${name}`);
  if (!own.every(({ signature }) => isSignedWith(publicKey, Buffer.from(text), signature)))
    throw new NoteRefused(`the signature of ${name} does not belong to this note`);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== name)
    throw new NoteRefused(`the checkpoint is one of the log ${checkpoint.origin}, the key is that of ${name}`);
  return checkpoint;
}

/** What a note's text says, by whomever it was signed. Lines after the third (extensions) say nothing here. @throws NoteRefused */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, ...more] = text.split('\n');
  if (!origin || size === undefined || root === undefined || more.at(-1) !== '' || more.slice(0, -1).includes(''))
    throw new NoteRefused('the text is not that of a checkpoint');
  if (!DECIMAL.test(size) || !Number.isSafeInteger(Number(size))) throw new NoteRefused("the checkpoint's size is not a number");
  const hash = decodeBase64(root, "the checkpoint's root");
  if (hash.length !== HASH_BYTES) throw new NoteRefused(`the checkpoint's root has ${hash.length} bytes`);
  return { origin, size: Number(size), root: hash };
}
