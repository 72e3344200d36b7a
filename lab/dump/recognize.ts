import { open } from 'node:fs/promises';
import { DumpRefused, systemCode } from '../errors.ts';

const HEAD_BYTES = 4096;
const plain = 'Make a plain one: pg_dump --format=plain --encoding=UTF8 --file=file.sql <database>';

/** What a file is that is no plain SQL, by its first bytes, and what to do about it. */
const kinds: readonly { readonly is: (head: Buffer) => boolean; readonly what: string; readonly hint: string }[] = [
  { is: (head) => head.length === 0, what: 'is empty', hint: plain },
  {
    is: (head) => head.subarray(0, 5).toString('latin1') === 'PGDMP',
    what: 'is a dump in custom format',
    hint: 'Turn it into plain SQL: pg_restore --file=file.sql <dump>',
  },
  {
    is: (head) => head.subarray(257, 262).toString('latin1') === 'ustar',
    what: 'is a dump in tar format',
    hint: 'Turn it into plain SQL: pg_restore --file=file.sql <dump>',
  },
  { is: starts(0x1f, 0x8b), what: 'is compressed with gzip', hint: 'Unpack it first: gunzip -c <dump> > file.sql' },
  { is: starts(0x28, 0xb5, 0x2f, 0xfd), what: 'is compressed with zstd', hint: 'Unpack it first: zstd -d <dump> -o file.sql' },
  { is: starts(0x04, 0x22, 0x4d, 0x18), what: 'is compressed with lz4', hint: 'Unpack it first: lz4 -d <dump> file.sql' },
  { is: starts(0xfd, 0x37, 0x7a, 0x58, 0x5a), what: 'is compressed with xz', hint: 'Unpack it first: xz -dc <dump> > file.sql' },
  { is: starts(0x42, 0x5a, 0x68), what: 'is compressed with bzip2', hint: 'Unpack it first: bunzip2 -c <dump> > file.sql' },
  { is: starts(0x50, 0x4b, 0x03, 0x04), what: 'is a zip archive', hint: 'Unpack it first: unzip <dump>' },
  {
    is: (head) => starts(0xff, 0xfe)(head) || starts(0xfe, 0xff)(head),
    what: 'is UTF-16 (PowerShell writes that when output is redirected)',
    hint: plain,
  },
  { is: (head) => head.includes(0), what: 'is binary, not SQL', hint: plain },
];

function starts(...bytes: readonly number[]): (head: Buffer) => boolean {
  return (head) => bytes.every((byte, index) => head[index] === byte);
}

/**
 * Refuses a file that cannot be plain SQL.
 * @returns its size in bytes
 * @throws DumpRefused saying what it is and what to do
 */
export async function recognizeDump(path: string): Promise<number> {
  try {
    await using file = await open(path);
    const facts = await file.stat();
    if (facts.isDirectory())
      throw new DumpRefused(`${path} is a directory`, {
        hint: 'Of a dump in directory format, make plain SQL: pg_restore --file=file.sql <directory>',
      });
    const head = Buffer.alloc(Math.min(HEAD_BYTES, facts.size));
    await file.read(head, 0, head.length, 0);
    const kind = kinds.find(({ is }) => is(head));
    if (kind) throw new DumpRefused(`${path} ${kind.what}`, { hint: kind.hint });
    return facts.size;
  } catch (error) {
    switch (systemCode(error)) {
      case 'ENOENT':
        throw new DumpRefused(`there is no file ${path}`);
      case 'EACCES':
        throw new DumpRefused(`${path} may not be read`);
      default:
        throw error;
    }
  }
}
