import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { CodeblueError } from '../../functions/common/errors.ts';
import type { RegionKey } from '../region.ts';

/** The stored bytes are not what was stored, or not under this key. */
export class DamagedObject extends CodeblueError {
  override readonly name = 'DamagedObject';
  readonly retryable = false;
}

/**
 * Stored objects: magic, length of the header (4 bytes, big endian), header as JSON, AES-256-GCM ciphertext, 16-byte tag. The data key is
 * fresh for every object and lies in the header, wrapped by the region's key; the header is authenticated along.
 */
const MAGIC = Buffer.from('CBLAB01\n');
const TAG_BYTES = 16;
const IV_BYTES = 12;
const ALGORITHM = 'aes-256-gcm';
const Header = z.strictObject({ keyId: z.string(), wrappedKey: z.base64(), iv: z.base64() });

type Bytes = AsyncIterable<Uint8Array>;

/** Encrypts a stream under a key. */
export async function* seal(source: Bytes, key: RegionKey): AsyncGenerator<Uint8Array> {
  const dataKey = randomBytes(32);
  const iv = randomBytes(IV_BYTES);
  const header = Buffer.from(
    JSON.stringify({ keyId: key.id, wrappedKey: sealBytes(dataKey, key.bytes).toString('base64'), iv: iv.toString('base64') }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  const prefix = Buffer.concat([MAGIC, length, header]);
  yield prefix;
  const cipher = createCipheriv(ALGORITHM, dataKey, iv).setAAD(prefix);
  for await (const chunk of source) yield cipher.update(chunk);
  cipher.final();
  yield cipher.getAuthTag();
}

/**
 * Decrypts a stored object as a stream. What it yields is proven only when the stream has ended without an error: use nothing of it before.
 * @throws DamagedObject when the object is cut, changed, or encrypted under another key
 */
export async function* unseal(path: string, key: RegionKey): AsyncGenerator<Uint8Array> {
  const { prefix, header, tag, end } = await readFrame(path);
  if (header.keyId !== key.id) throw new DamagedObject(`the object is encrypted under ${header.keyId}, not under ${key.id}`);
  const dataKey = unsealBytes(Buffer.from(header.wrappedKey, 'base64'), key.bytes);
  const decipher = createDecipheriv(ALGORITHM, dataKey, Buffer.from(header.iv, 'base64')).setAAD(prefix);
  decipher.setAuthTag(tag);
  if (end > prefix.length) {
    for await (const chunk of createReadStream(path, { start: prefix.length, end: end - 1, highWaterMark: 256 << 10 })) {
      yield decipher.update(z.instanceof(Buffer).parse(chunk));
    }
  }
  try {
    decipher.final();
  } catch (cause) {
    throw new DamagedObject('the object does not carry a valid authentication tag: its bytes were changed', { cause });
  }
}

async function readFrame(path: string) {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Buffer.alloc(MAGIC.length + 4);
    await file.read(start, 0, start.length, 0);
    const headerBytes = start.readUInt32BE(MAGIC.length);
    const end = size - TAG_BYTES;
    if (!start.subarray(0, MAGIC.length).equals(MAGIC) || start.length + headerBytes > end)
      throw new DamagedObject('the object is not a whole stored object');
    const prefix = Buffer.alloc(start.length + headerBytes);
    await file.read(prefix, 0, prefix.length, 0);
    const tag = Buffer.alloc(TAG_BYTES);
    await file.read(tag, 0, TAG_BYTES, end);
    return { prefix, header: parseHeader(prefix.subarray(start.length)), tag, end };
  } finally {
    await file.close();
  }
}

function parseHeader(bytes: Buffer): z.output<typeof Header> {
  try {
    return Header.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new DamagedObject('the header of the object cannot be read', { cause });
  }
}

/** Encrypts a small value whole: iv, ciphertext, tag. */
export function sealBytes(bytes: Uint8Array, key: Uint8Array): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv);
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** @throws DamagedObject when the bytes were changed, or sealed under another key */
export function unsealBytes(sealed: Uint8Array, key: Uint8Array): Buffer {
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new DamagedObject('the sealed value is cut');
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, IV_BYTES));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new DamagedObject('a sealed value was changed, or belongs to another key', { cause });
  }
}
