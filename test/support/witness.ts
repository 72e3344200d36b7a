import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';

/** What a witness answers. */
export interface WitnessAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface TestWitness {
  readonly name: string;
  readonly verifierKey: string;
  /** POST /add-checkpoint. */
  addCheckpoint(body: string): WitnessAnswer;
  /** Size of the newest checkpoint that it cosigned, by origin. */
  readonly seen: ReadonlyMap<string, { readonly size: number; readonly root: Buffer }>;
}

/**
 * A witness after C2SP tlog-witness, written from the specification and sharing no code with the log: it parses, verifies and computes by itself. One synchronous step, so
 * checking and remembering cannot be parted.
 *
 * @param logs verifier keys by origin
 */
export function testWitness(given: { name: string; logs: ReadonlyMap<string, string>; now: () => Date }): TestWitness {
  const { name, logs, now } = given;
  const seed = createHash('sha256').update(`witness ${name}`).digest();
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const raw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const keyId = createHash('sha256').update(`${name}\n\x04`).update(raw).digest().subarray(0, 4);
  const seen = new Map<string, { size: number; root: Buffer }>();

  function addCheckpoint(body: string): WitnessAnswer {
    const [head, ...rest] = body.split('\n\n');
    const [oldLine, ...proofLines] = (head ?? '').split('\n');
    const old = /^old (0|[1-9]\d*)$/.exec(oldLine ?? '')?.[1];
    const [text, signatures] = [`${rest[0]}\n`, rest[1]];
    const [origin, sizeLine, rootLine] = text.split('\n');
    if (old === undefined || rest.length !== 2 || !origin || !sizeLine || !rootLine || !signatures || proofLines.length > 63)
      return told(400);
    const logKey = logs.get(origin);
    if (!logKey) return told(404);
    if (!isSignedBy(logKey, text, signatures)) return told(403);
    const [from, size, root] = [Number(old), Number(sizeLine), Buffer.from(rootLine, 'base64')];
    if (from > size) return told(400);
    const known = seen.get(origin);
    if (from !== (known?.size ?? 0)) return { status: 409, contentType: 'text/x.tlog.size', body: `${known?.size ?? 0}\n` };
    const proof = proofLines.map((line) => Buffer.from(line, 'base64'));
    if (size === 0 && !root.equals(sha256())) return told(422);
    if (from === 0 ? proof.length > 0 : !known || !goesOn(known.root, from, root, size, proof)) return told(422);
    seen.set(origin, { size, root });
    const time = Math.floor(now().getTime() / 1000);
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), privateKey);
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(BigInt(time));
    return { ...told(200), body: `— ${name} ${Buffer.concat([keyId, stamp, signature]).toString('base64')}\n` };
  }

  return {
    name,
    seen,
    addCheckpoint,
    verifierKey: `${name}+${keyId.toString('hex')}+${Buffer.concat([Buffer.of(4), raw]).toString('base64')}`,
  };
}

const told = (status: number): WitnessAnswer => ({ status, contentType: 'text/plain', body: '' });

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
