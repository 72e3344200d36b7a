import { z } from 'zod';
import { InvalidInput } from '../common/errors.ts';

/**
 * A row version that cannot be counted on: it is younger than the oldest transaction that ran when the manifest was opened
 * (`recent`), or something newer than that changed, deleted or locked it (`touched`), or it looks exactly like one that was touched, in a
 * table without a key (neither flag).
 */
export interface FluxEntry {
  readonly h1: bigint;
  readonly h2: bigint;
  /** Hash of the key; null where the table has none. */
  readonly key: bigint | null;
  readonly touched: boolean;
  readonly recent: boolean;
  /** A row with this key was there right after the snapshot. False where there is no key. */
  readonly survives: boolean;
  /** Rows that this entry stands for; more than one only where a table without a key has rows that are alike. */
  readonly copies: number;
}

/** 29 bytes an entry, base64: h1, h2, key, copies (big endian) and flags. 200 000 entries are 6 MB, not 60. */
export const PackedFlux = z.base64();
const ENTRY_BYTES = 29;
const flag = { touched: 1, recent: 2, survives: 4, hasKey: 8 } as const;

export function packFlux(entries: readonly FluxEntry[]): string {
  const bytes = Buffer.alloc(entries.length * ENTRY_BYTES);
  for (const [index, entry] of entries.entries()) {
    const at = index * ENTRY_BYTES;
    bytes.writeBigInt64BE(entry.h1, at);
    bytes.writeBigInt64BE(entry.h2, at + 8);
    bytes.writeBigInt64BE(entry.key ?? 0n, at + 16);
    const flags =
      (entry.touched ? flag.touched : 0) |
      (entry.recent ? flag.recent : 0) |
      (entry.survives ? flag.survives : 0) |
      (entry.key === null ? 0 : flag.hasKey);
    bytes.writeUInt32BE(entry.copies, at + 24);
    bytes.writeUInt8(flags, at + 28);
  }
  return bytes.toString('base64');
}

/** @throws InvalidInput when the bytes are not whole entries */
export function unpackFlux(packed: string): readonly FluxEntry[] {
  const bytes = Buffer.from(packed, 'base64');
  if (bytes.length % ENTRY_BYTES !== 0) throw new InvalidInput('a flux list of the manifest is cut short');
  return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, index) => {
    const at = index * ENTRY_BYTES;
    const flags = bytes.readUInt8(at + 28);
    return {
      h1: bytes.readBigInt64BE(at),
      h2: bytes.readBigInt64BE(at + 8),
      key: (flags & flag.hasKey) === 0 ? null : bytes.readBigInt64BE(at + 16),
      touched: (flags & flag.touched) !== 0,
      recent: (flags & flag.recent) !== 0,
      survives: (flags & flag.survives) !== 0,
      copies: bytes.readUInt32BE(at + 24),
    };
  });
}

/** Entries as PostgreSQL lists them: `h1,h2,key,flags` joined by `;`, key `-` when there is none. */
export function parseFlux(text: string | null | undefined): FluxEntry[] {
  if (!text) return [];
  return text.split(';').map((line) => {
    const [h1 = '', h2 = '', key = '-', flags = '0'] = line.split(',');
    const bits = Number(flags);
    return {
      h1: BigInt(h1),
      h2: BigInt(h2),
      key: key === '-' ? null : BigInt(key),
      touched: (bits & flag.touched) !== 0,
      recent: (bits & flag.recent) !== 0,
      survives: false,
      copies: 1,
    };
  });
}

/** Identity of a row's content. */
export const hashId = (entry: { readonly h1: bigint; readonly h2: bigint }): string => `${entry.h1},${entry.h2}`;
