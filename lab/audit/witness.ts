import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** The newest tree that a witness cosigned of one log. */
export interface WitnessedTree {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
}

/** Must be durable before a cosignature goes out: a witness that forgets would sign two histories. */
export interface WitnessMemory {
  get(origin: string): WitnessedTree | undefined;
  set(origin: string, tree: WitnessedTree): unknown;
}

export interface WitnessOptions {
  /** Name of its key. */
  readonly name: string;
  /** Of its Ed25519 key, 32 bytes. */
  readonly seed: Uint8Array;
  /** Verifier keys of the logs that it knows, by origin. */
  readonly logs: ReadonlyMap<string, string>;
  readonly memory: WitnessMemory;
  readonly now: () => Date;
}

/** What a witness answers. */
interface WitnessAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Witness {
  readonly name: string;
  readonly verifierKey: string;
  /** POST /add-checkpoint. */
  addCheckpoint(body: string): WitnessAnswer;
}

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * A witness after C2SP tlog-witness, written from the specification and sharing no code with the log: it parses, verifies and computes by itself. One synchronous step, so
 * checking and remembering cannot be parted.
 */
export function witness({ name, seed, logs, memory, now }: WitnessOptions): Witness {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const keyId = createHash('sha256').update(`${name}\n\x04`).update(raw).digest().subarray(0, 4);

  function addCheckpoint(body: string): WitnessAnswer {
    const request = parsed(body);
    if (!request) return told(400);
    const { origin, old, size, root, proof, text, signatures } = request;
    const logKey = logs.get(origin);
    if (!logKey) return told(404);
    if (!isSignedBy(logKey, text, signatures)) return told(403);
    if (old > size) return told(400);
    const known = memory.get(origin);
    if (old !== (known?.size ?? 0)) return { status: 409, contentType: 'text/x.tlog.size', body: `${known?.size ?? 0}\n` };
    if (size === 0 && !root.equals(sha256())) return told(422);
    if (old === 0 ? proof.length > 0 : !known || !goesOn(known.root, old, root, size, proof)) return told(422);
    memory.set(origin, { size, root });
    return told(200, `— ${name} ${Buffer.concat([keyId, cosignature(privateKey, text, now())]).toString('base64')}\n`);
  }

  const verifierKey = `${name}+${keyId.toString('hex')}+${Buffer.concat([Buffer.of(4), raw]).toString('base64')}`;
  return { name, verifierKey, addCheckpoint };
}

const told = (status: number, body = ''): WitnessAnswer => ({ status, contentType: 'text/plain', body });

const DECIMAL = /^(0|[1-9]\d*)$/;
const LONGEST_PROOF = 63;

/** Old size, proof, an empty line, and the signed checkpoint. */
function parsed(body: string) {
  const [head = '', ...rest] = body.split('\n\n');
  const [oldLine = '', ...proofLines] = head.split('\n');
  const old = oldLine.replace(/^old /, '');
  const [text, signatures] = [`${rest[0]}\n`, rest[1]];
  const [origin, sizeLine = '', rootLine] = text.split('\n');
  const isWhole = oldLine.startsWith('old ') && [old, sizeLine].every((each) => DECIMAL.test(each)) && proofLines.length <= LONGEST_PROOF;
  if (!isWhole || rest.length !== 2 || !origin || !rootLine || !signatures) return undefined;
  const proof = proofLines.map((line) => Buffer.from(line, 'base64'));
  return { origin, old: Number(old), size: Number(sizeLine), root: Buffer.from(rootLine, 'base64'), proof, text, signatures };
}

/** Eight bytes of time (seconds since 1970), then the signature over it and the checkpoint (C2SP tlog-cosignature). */
function cosignature(key: KeyObject, text: string, now: Date): Buffer {
  const time = Math.floor(now.getTime() / 1000);
  const stamp = Buffer.alloc(8);
  stamp.writeBigUInt64BE(BigInt(time));
  return Buffer.concat([stamp, sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), key)]);
}

/** Signature lines of the key must be there, and all of them must hold. */
function isSignedBy(key: string, text: string, lines: string): boolean {
  const [name, keyId, material] = [key.slice(0, key.indexOf('+')), key.split('+')[1], key.slice(key.indexOf('+') + 10)];
  const raw = Buffer.from(material, 'base64').subarray(1);
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  const own = lines
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([dash, by]) => dash === '—' && by === name)
    .map(([, , base64]) => Buffer.from(base64 ?? '', 'base64'))
    .filter((bytes) => bytes.subarray(0, 4).toString('hex') === keyId);
  return own.length > 0 && own.every((bytes) => verify(null, Buffer.from(text), publicKey, bytes.subarray(4)));
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
};
const node = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.of(1), left, right);

/** Builds both roots out of the proof by the recursion that RFC 6962, 2.1.2, defines it by. */
function goesOn(oldRoot: Buffer, from: number, root: Buffer, size: number, proof: readonly Buffer[]): boolean {
  const left = [...proof];
  const rebuilt = rebuild(from, size, true);
  return left.length === 0 && rebuilt !== undefined && rebuilt[0].equals(oldRoot) && rebuilt[1].equals(root);

  function rebuild(m: number, n: number, whole: boolean): readonly [Buffer, Buffer] | undefined {
    if (m === n) {
      const hash = whole ? oldRoot : left.shift();
      return hash && [hash, hash];
    }
    const k = 2 ** (Math.ceil(Math.log2(n)) - 1);
    const below = m <= k ? rebuild(m, k, whole) : rebuild(m - k, n - k, false);
    const beside = left.shift();
    if (!below || !beside) return undefined;
    return m <= k ? [below[0], node(below[1], beside)] : [node(beside, below[0]), node(beside, below[1])];
  }
}
