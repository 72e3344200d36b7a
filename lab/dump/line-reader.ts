import { createReadStream } from 'node:fs';

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 << 10;

/** Reads a file by lines, or by blocks of lines where the lines do not matter. Holds one chunk and one line at a time. */
export class LineReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;
  /** Number of the line that was read last; the first is 1. */
  line = 0;
  bytesRead = 0;

  constructor(path: string) {
    this.#chunks = createReadStream(path, { highWaterMark: CHUNK_BYTES })[Symbol.asyncIterator]();
  }

  /** The next line with its line feed (the last one may have none); undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    for (let searched = 0; ; ) {
      const at = this.#rest.indexOf(NEWLINE, searched);
      if (at >= 0) return this.#take(at + 1);
      if (this.#ended) return this.#rest.length > 0 ? this.#take(this.#rest.length) : undefined;
      searched = this.#rest.length;
      await this.#fill();
    }
  }

  /**
   * Lines up to the one that is `\.` alone, which is read but not given.
   * @returns false when the file ended before it
   */
  async *untilEndOfData(): AsyncGenerator<Buffer, boolean> {
    for (;;) {
      const { whole, found, lines } = this.#wholeLines();
      this.line += lines;
      if (whole > 0) yield this.#rest.subarray(0, whole);
      this.#rest = this.#rest.subarray(whole);
      if (found) return (await this.next()) !== undefined;
      if (this.#ended) return false;
      await this.#fill();
    }
  }

  /** Bytes of the buffered lines before the end of data, or of all whole lines. */
  #wholeLines(): { readonly whole: number; readonly found: boolean; readonly lines: number } {
    let whole = 0;
    let lines = 0;
    for (let at = this.#rest.indexOf(NEWLINE); at >= 0; at = this.#rest.indexOf(NEWLINE, whole)) {
      if (isEndOfData(this.#rest, whole, at)) return { whole, found: true, lines };
      whole = at + 1;
      lines++;
    }
    return { whole, found: this.#ended && isEndOfData(this.#rest, whole, this.#rest.length), lines };
  }

  async #fill(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) {
      this.#ended = true;
      return;
    }
    this.bytesRead += value.length;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
  }

  #take(length: number): Buffer {
    const line = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    this.line++;
    return line;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** `\.`, with or without a carriage return. */
function isEndOfData(bytes: Buffer, from: number, to: number): boolean {
  const length = to - from - (bytes[to - 1] === 0x0d ? 1 : 0);
  return length === 2 && bytes[from] === 0x5c && bytes[from + 1] === 0x2e;
}
