import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Pack, pack } from 'tar-stream';
import { systemCode } from '../errors.ts';
import type { BackupContents } from './sidecar.ts';

const CHUNK_BYTES = 256 << 10;
/** Entries get one fixed time: equal contents make equal archives. */
const EPOCH = new Date(0);

/** Writes a tar archive entry by entry and remembers the SHA-256 of each file. Holds one chunk in memory at a time. */
export class Packer {
  readonly #pack: Pack = pack();
  readonly #files: BackupContents['files'] = [];

  /** The archive's bytes. */
  get stream(): AsyncIterable<Uint8Array> {
    return chunksOf(this.#pack);
  }

  get files(): BackupContents['files'] {
    return this.#files;
  }

  async directory(name: string): Promise<void> {
    await this.#whole({ name: `${name}/`, type: 'directory', mode: 0o700, mtime: EPOCH });
  }

  async bytes(name: string, bytes: Buffer): Promise<void> {
    await this.#whole({ name, mode: 0o600, mtime: EPOCH, size: bytes.length }, bytes);
    this.#files.push({ name, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  }

  /**
   * Adds a file that others may be writing to: as many bytes as it had when it was opened, zeros for what was cut off since.
   * @returns false when it is gone
   */
  async file(name: string, path: string): Promise<boolean> {
    const file = openIfThere(path);
    if (file === undefined) return false;
    try {
      await this.#streamed(name, fstatSync(file).size, file);
      return true;
    } finally {
      closeSync(file);
    }
  }

  finish(): void {
    this.#pack.finalize();
  }

  abort(error: Error): void {
    this.#pack.destroy(error);
  }

  /** Reads are synchronous: a cluster has a thousand small files, and a turn through the thread pool costs more than each of them. */
  async #streamed(name: string, size: number, file: number): Promise<void> {
    const hash = createHash('sha256');
    await new Promise<void>((resolve, reject) => {
      const entry = this.#pack.entry({ name, mode: 0o600, mtime: EPOCH, size }, (error) => (error ? reject(error) : resolve()));
      const feed = async (): Promise<void> => {
        for (let at = 0; at < size; ) {
          const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - at));
          readSync(file, chunk, 0, chunk.length, at);
          hash.update(chunk);
          at += chunk.length;
          if (!entry.write(chunk)) await once(entry, 'drain');
        }
        entry.end(null);
      };
      feed().catch(reject);
    });
    this.#files.push({ name, size, sha256: hash.digest('hex') });
  }

  #whole(header: Parameters<Pack['entry']>[0], bytes?: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pack.entry(header, bytes ?? '', (error) => (error ? reject(error) : resolve()));
    });
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The bytes of a stream of `tar-stream`. */
export async function* chunksOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk;
}
