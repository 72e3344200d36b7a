import { hash } from 'node:crypto';

/** Hashes of a full tile, and entries of a full bundle (C2SP tlog-tiles). */
const width = 256;

const sha256 = (...parts: readonly Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer');
const leafHash = (entry: string): Buffer => sha256(Buffer.of(0), Buffer.from(entry));

/**
 * One generation of the log as the claims make it: entries in order, and everything that follows from them, computed straight from the definitions of RFC 9162 (2.1.1) and
 * C2SP tlog-tiles and with no code of the system: it is what the monitor compares with.
 */
export class History {
  readonly #entries: string[] = [];
  readonly #leaves: Buffer[] = [];
  readonly #subtrees = new Map<string, Buffer>();

  get size(): number {
    return this.#entries.length;
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  copy(): History {
    const copy = new History();
    copy.#entries.push(...this.#entries);
    copy.#leaves.push(...this.#leaves);
    for (const [name, root] of this.#subtrees) copy.#subtrees.set(name, root);
    return copy;
  }

  append(entries: readonly string[]): void {
    this.#entries.push(...entries);
    this.#leaves.push(...entries.map(leafHash));
  }

  /** What a broken sequencer does: entries from there on are forgotten. */
  cut(size: number): void {
    this.#entries.length = size;
    this.#leaves.length = size;
    this.#subtrees.clear();
  }

  /** Merkle tree hash of the first `size` entries, base64. */
  root(size: number): string {
    return (size === 0 ? sha256() : this.#subtree(0, size)).toString('base64');
  }

  /** Every object that a tree of this size has, by its path without the generation. */
  objects(size: number): ReadonlyMap<string, Buffer> {
    const objects = new Map<string, Buffer>();
    let hashes: readonly Buffer[] = this.#leaves.slice(0, size);
    for (let from = 0; from < size; from += width) {
      const some = this.#entries.slice(from, Math.min(from + width, size)).map((entry) => Buffer.from(entry));
      objects.set(pathOf('entries', from / width, some.length), Buffer.concat(some.flatMap((entry) => [lengthOf(entry), entry])));
    }
    for (let level = 0, span = 1; hashes.length > 0; level++, span *= width) {
      const above: Buffer[] = [];
      for (let from = 0; from < hashes.length; from += width) {
        const some = hashes.slice(from, from + width);
        objects.set(pathOf(String(level), from / width, some.length), Buffer.concat(some));
        if (some.length === width) above.push(this.#subtree(from * span, (from + width) * span));
      }
      hashes = above;
    }
    return objects;
  }

  #subtree(from: number, until: number): Buffer {
    if (until - from === 1) return this.#leaves[from] ?? Buffer.alloc(0);
    const name = `${from} ${until}`;
    const known = this.#subtrees.get(name);
    if (known) return known;
    const split = from + 2 ** Math.floor(Math.log2(until - from - 1));
    const made = sha256(Buffer.of(1), this.#subtree(from, split), this.#subtree(split, until));
    this.#subtrees.set(name, made);
    return made;
  }
}

const lengthOf = (entry: Buffer): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(entry.length);
  return length;
};

/** Of the logs that are simulated, which have fewer than a thousand tiles. */
const pathOf = (kind: string, index: number, entries: number): string =>
  `tile/${kind}/${String(index).padStart(3, '0')}${entries < width ? `.p/${entries}` : ''}`;
