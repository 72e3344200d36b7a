import { WAL_SEGMENT_BYTES } from './config.ts';

/** Position in the write-ahead log: PostgreSQL writes `0/84B6D8` for the bytes 0x84B6D8. */
function lsnBytes(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

const SEGMENTS_PER_LOG = 0x1_0000_0000n / BigInt(WAL_SEGMENT_BYTES);

/** File names of the log segments that hold the bytes from `start` up to, not including, `stop`. */
export function walSegments(timeline: number, start: string, stop: string): readonly string[] {
  const first = lsnBytes(start) / BigInt(WAL_SEGMENT_BYTES);
  const last = (lsnBytes(stop) - 1n) / BigInt(WAL_SEGMENT_BYTES);
  return Array.from({ length: Number(last - first) + 1 }, (_, index) => {
    const segment = first + BigInt(index);
    return [BigInt(timeline), segment / SEGMENTS_PER_LOG, segment % SEGMENTS_PER_LOG].map(hex8).join('');
  });
}

const hex8 = (number: bigint): string => number.toString(16).toUpperCase().padStart(8, '0');
