import { InvalidInput } from '../../common/errors.ts';
import { HASH_BYTES } from '../log/models.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^63 entries has no longer path. */
const PROOF_LIMIT = 63;

/** What a `.tlog-proof` says (C2SP tlog-proof@v1). */
export interface TlogProof {
  /** Of the application; not authenticated by itself. */
  readonly extra?: Uint8Array;
  /** Of the entry, from 0. */
  readonly index: number;
  /** Inclusion proof, from the leaf's sibling up. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint with its cosignatures, as the log published it. */
  readonly checkpoint: string;
}

/** One proof as text. Several in one file stand one after another. */
export function formatTlogProof({ extra, index, proof, checkpoint }: TlogProof): string {
  const lines = [HEADER, ...(extra ? [`extra ${base64(extra)}`] : []), `index ${index}`, ...proof.map(base64), '', checkpoint];
  return lines.join('\n');
}

/**
 * The proofs in a file, at least one. A checkpoint holds no empty line but the one before its signatures, so where one proof ends is never in doubt.
 *
 * @throws InvalidInput saying which line is not what it must be
 */
export function parseTlogProofs(text: string): readonly TlogProof[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new InvalidInput('the proof does not end in a line feed: it may have been cut off');
  const proofs: TlogProof[] = [];
  for (let at = 0; at < lines.length || at === 0; ) {
    const { proof, next } = parseAt(lines, at);
    proofs.push(proof);
    at = next;
  }
  return proofs;
}

function parseAt(lines: readonly string[], start: number): { readonly proof: TlogProof; readonly next: number } {
  let at = start;
  const refuse = (wanted: string): never => {
    throw new InvalidInput(`line ${at} of the proof is not ${wanted}`);
  };
  const take = (wanted: string): string => {
    at += 1;
    return lines[at - 1] ?? refuse(wanted);
  };

  if (take(`"${HEADER}"`) !== HEADER) refuse(`"${HEADER}"`);
  const hasExtra = lines[at]?.startsWith('extra') === true;
  const extra = hasExtra ? bytesOf(/^extra (.+)$/.exec(take('`extra`'))?.[1] ?? '') : undefined;
  if (hasExtra && !extra) refuse('`extra` and base64');
  const index = /^index (0|[1-9]\d{0,15})$/.exec(take('`index` and a number'))?.[1];
  if (index === undefined || !Number.isSafeInteger(Number(index))) return refuse('`index` and a number');
  const proof: Uint8Array[] = [];
  for (let line = take('a hash'); line !== ''; line = take('a hash, or the empty line after them')) {
    const hash = bytesOf(line);
    if (hash?.length !== HASH_BYTES || proof.length === PROOF_LIMIT) return refuse('the base64 of a hash');
    proof.push(hash);
  }
  const from = at;
  while (take('a line of a checkpoint') !== '');
  while (lines[at]?.startsWith('— ')) at += 1;
  const checkpoint = `${lines.slice(from, at).join('\n')}\n`;
  return { proof: { ...(extra ? { extra } : {}), index: Number(index), proof, checkpoint }, next: at };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Undefined where it is not base64, or written otherwise than RFC 4648 says. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : undefined;
}
