import { createPublicKey, hash, verify } from 'node:crypto';
import { NoteRefused } from '../errors.ts';

/** Signature types of C2SP signed-note that are known here. */
export const ED25519 = 0x01;
export const ED25519_COSIGNATURE = 0x04;

const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
/** No note that we read comes near; C2SP signed-note wants at least 16 signatures to be read. */
const NOTE_LIMIT_CHARACTERS = 1_000_000;
const SIGNATURE_LIMIT = 100;
/** Of an Ed25519 public key before its 32 bytes (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

const SIGNATURE_LINE = /^— (?<name>[^\s+]+) (?<base64>[A-Za-z0-9+/]+={0,2})$/u;
const VERIFIER_KEY = /^(?<name>[^\s+]+)\+(?<keyId>[0-9a-f]{8})\+(?<base64>[A-Za-z0-9+/]+={0,2})$/u;
/** Below U+0020. */
const CONTROL_CHARACTER = /[^ -\u{10ffff}]/u;

export interface NoteSignature {
  readonly name: string;
  /** Eight hex digits. */
  readonly keyId: string;
  readonly signature: Uint8Array;
  /** As it stands in the note, without its line feed. */
  readonly line: string;
}

export interface SignedNote {
  /** What was signed, with its last line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface VerifierKey {
  readonly name: string;
  readonly keyId: string;
  /** Signature type. */
  readonly type: number;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Takes a signed note apart; nothing is verified by it. @throws NoteRefused when it is none */
export function parseSignedNote(note: string): SignedNote {
  const end = note.lastIndexOf('\n\n');
  if (note.length > NOTE_LIMIT_CHARACTERS || end <= 0 || !note.endsWith('\n')) throw new NoteRefused('this is not a signed note');
  if (!note.isWellFormed() || note.split('\n').some((line) => CONTROL_CHARACTER.test(line)))
    throw new NoteRefused('the note holds characters that no signed note may hold');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > SIGNATURE_LIMIT)
    throw new NoteRefused(`the note has ${lines.length} signatures: more than ${SIGNATURE_LIMIT} are not read`);
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
}

/** @throws NoteRefused */
export function parseSignatureLine(line: string): NoteSignature {
  const { name, base64 } = SIGNATURE_LINE.exec(line)?.groups ?? {};
  if (name === undefined || base64 === undefined) throw new NoteRefused('a signature line is not well formed');
  const bytes = decodeBase64(base64, 'a signature');
  if (bytes.length <= KEY_ID_BYTES) throw new NoteRefused(`the signature of ${name} is too short`);
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES).toString('hex'), signature: bytes.subarray(KEY_ID_BYTES), line };
}

/** `— <name> <base64 of key id and signature>`, without a line feed. */
export function signatureLine(name: string, keyId: string, signature: Uint8Array): string {
  return `— ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}`;
}

/** First four bytes of SHA-256(name || line feed || type || public key), in hex. */
export function keyIdOf(name: string, type: number, publicKey: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey]), 'hex').slice(0, 2 * KEY_ID_BYTES);
}

/**
 * A verifier key such as `example.com/log+530d903a+AekyeRrm56hA…`.
 *
 * @throws NoteRefused when it is not well formed, its id is not that of its key, or it is neither of Ed25519 nor of an Ed25519 cosigner
 */
export function parseVerifierKey(text: string): VerifierKey {
  const { name, keyId, base64 } = VERIFIER_KEY.exec(text)?.groups ?? {};
  if (name === undefined || keyId === undefined || base64 === undefined)
    throw new NoteRefused('the verifier key is not well formed', { hint: 'It looks like <name>+<8 hex digits>+<base64>, on one line.' });
  const bytes = decodeBase64(base64, 'a verifier key');
  const type = bytes[0];
  const publicKey = bytes.subarray(1);
  if ((type !== ED25519 && type !== ED25519_COSIGNATURE) || publicKey.length !== PUBLIC_KEY_BYTES)
    throw new NoteRefused(`the verifier key of ${name} is not one of Ed25519`);
  if (keyIdOf(name, type, publicKey) !== keyId) throw new NoteRefused(`the verifier key of ${name} does not have the id that it names`);
  return { name, keyId, type, publicKey };
}

/** Ed25519 over exactly these bytes. */
export function isSignedWith(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' }), signature);
}

/** Base64 as RFC 4648, section 4, writes it, and no other way. @throws NoteRefused */
export function decodeBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new NoteRefused(`${what} is not base64`);
  return bytes;
}
