import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import type { RegionKey } from '../region.ts';
import { DamagedObject, seal, unseal } from './cipher.ts';
import { chunksOf, Packer } from './packer.ts';

/** What was stored: bytes and SHA-256 of the object as it lies on disk. */
export interface StoredObject {
  readonly sizeBytes: number;
  readonly sha256: string;
}

const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/**
 * Writes one object: tar, compressed (zstd 1), encrypted under `key`. `fill` adds the entries; all streams, whatever the size.
 * The file is complete only when this returns.
 */
export async function writeObject(path: string, key: RegionKey, fill: (packer: Packer) => Promise<void>): Promise<StoredObject> {
  const packer = new Packer();
  const meter = new Meter();
  const written = pipeline(
    packer.stream,
    createZstdCompress(compression),
    (compressed: AsyncIterable<Uint8Array>) => meter.count(seal(compressed, key)),
    createWriteStream(path, { mode: 0o600, highWaterMark: 1 << 20 }),
  );
  const filled = fill(packer).then(
    () => packer.finish(),
    (error: Error) => {
      packer.abort(error);
      throw error;
    },
  );
  // A full disk stops the writing side first, a vanished source the filling side: whichever failed first is the reason.
  written.catch((error: Error) => packer.abort(error));
  await Promise.all([filled, written]);
  return meter.result();
}

/** Copies an object into another region: the stored bytes are decrypted with the source's key and encrypted with the target's. */
export async function reencryptObject(from: string, fromKey: RegionKey, to: string, toKey: RegionKey): Promise<StoredObject> {
  const meter = new Meter();
  await pipeline(() => meter.count(seal(unseal(from, fromKey), toKey)), createWriteStream(to, { mode: 0o600, highWaterMark: 1 << 20 }));
  return meter.result();
}

/** A file or directory inside an object. `bytes` may be read once, while the entry is being visited. */
export interface ObjectEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Bytes, as the archive announces them. */
  readonly size: number;
  readonly bytes: () => AsyncIterable<Uint8Array>;
}

/**
 * Visits every entry of an object in order. What it shows is proven only when this returns.
 * @throws DamagedObject when the bytes are cut, changed, or encrypted under another key
 */
export async function readObject(path: string, key: RegionKey, visit: (entry: ObjectEntry) => Promise<void>): Promise<void> {
  const entries = extract();
  const feeding = pipeline(() => unseal(path, key), createZstdDecompress(), entries);
  // Heard below; without this an early failure would count as unhandled while an entry is still being visited.
  feeding.catch(() => {});
  try {
    for await (const entry of entries) {
      const { name, type, size = 0 } = entry.header;
      await visit({ name, isDirectory: type === 'directory', size, bytes: () => chunksOf(entry) });
      entry.resume();
    }
  } catch (error) {
    entries.destroy();
    await feeding.catch((reason: unknown) => {
      throw asDamage(reason instanceof Error && reason.name !== 'AbortError' && isReadFailure(reason) ? reason : error);
    });
    throw asDamage(error);
  }
  await feeding.catch((error: unknown) => {
    throw asDamage(error);
  });
}

const isReadFailure = (error: Error): boolean =>
  error instanceof DamagedObject || ('code' in error && String(error.code).startsWith('ZSTD'));

/** Errors of the decompressor and of the archive's reader mean one thing here. */
function asDamage(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DamagedObject) return error;
  const code = 'code' in error ? String(error.code) : '';
  const damaged = code.startsWith('ZSTD') || code === 'Z_BUF_ERROR' || /Invalid tar header|Unexpected end of data/.test(error.message);
  return damaged ? new DamagedObject(`the object does not unpack: ${error.message}`, { cause: error }) : error;
}

/** Counts and hashes what flows through. */
class Meter {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  async *count(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  result(): StoredObject {
    return { sizeBytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}
