import { z } from 'zod';

/** Row count and exact sums of both signed 64-bit row hashes: independent of row order, adds and subtracts exactly. */
export const Totals = z.strictObject({
  count: z.string().regex(/^-?\d+$/),
  sum1: z.string().regex(/^-?\d+$/),
  sum2: z.string().regex(/^-?\d+$/),
});
export type Totals = z.output<typeof Totals>;

export const noRows: Totals = { count: '0', sum1: '0', sum2: '0' };

export function add(a: Totals, b: Totals): Totals {
  return combine(a, b, 1n);
}

export function subtract(a: Totals, b: Totals): Totals {
  return combine(a, b, -1n);
}

/** Totals of listed rows, each as often as it has copies. */
export function totalsOf(rows: readonly { readonly h1: bigint; readonly h2: bigint; readonly copies: number }[]): Totals {
  let count = 0n;
  let sum1 = 0n;
  let sum2 = 0n;
  for (const row of rows) {
    const copies = BigInt(row.copies);
    count += copies;
    sum1 += copies * row.h1;
    sum2 += copies * row.h2;
  }
  return { count: String(count), sum1: String(sum1), sum2: String(sum2) };
}

function combine(a: Totals, b: Totals, sign: bigint): Totals {
  const part = (name: keyof Totals): string => String(BigInt(a[name]) + sign * BigInt(b[name]));
  return { count: part('count'), sum1: part('sum1'), sum2: part('sum2') };
}
