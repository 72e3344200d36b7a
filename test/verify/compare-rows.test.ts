import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareRows } from '../../functions/verify/compare-rows.ts';
import { type FluxEntry, packFlux, unpackFlux } from '../../functions/verify/flux.ts';
import type { TableInspection } from '../../functions/verify/inspection.ts';
import type { TableManifest } from '../../functions/verify/manifest.ts';
import { noRows, subtract, totalsOf } from '../../functions/verify/totals.ts';

/**
 * A model of one table with a key, as two lists: what the manifest saw, and what the instant of the copy made of each row. The comparison
 * must accept every such history, and refuse it as soon as one row of the copy that was not written by the load is changed.
 */
interface Row {
  readonly value: bigint;
  readonly young: boolean;
  readonly fate: 'untouched' | 'locked' | 'updated-before' | 'updated-after' | 'deleted-before' | 'deleted-after';
}

const rows = fc.array(
  fc.record<Row>({
    value: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
    young: fc.boolean(),
    fate: fc.constantFrom('untouched', 'locked', 'updated-before', 'updated-after', 'deleted-before', 'deleted-after'),
  }),
  { minLength: 1, maxLength: 30 },
);

const hashed = (key: number, value: bigint) => ({
  h1: BigInt.asIntN(64, value * 31n + BigInt(key)),
  h2: BigInt.asIntN(64, value ^ (BigInt(key) << 20n)),
});
const entry = (key: number, value: bigint, facts: Partial<FluxEntry>): FluxEntry => ({
  ...hashed(key, value),
  key: BigInt(key),
  touched: false,
  recent: false,
  survives: false,
  copies: 1,
  ...facts,
});

function manifestOf(history: readonly Row[]): TableManifest {
  const flux = history.flatMap((row, key) => {
    const touched = row.fate !== 'untouched';
    return touched || row.young
      ? [entry(key, row.value, { touched, recent: row.young, survives: touched && row.fate !== 'deleted-before' })]
      : [];
  });
  const all = history.map((row, key) => entry(key, row.value, {}));
  return {
    schema: 'public',
    name: 'model',
    rows: String(history.length),
    hasKey: true,
    stable: subtract(totalsOf(all), totalsOf(flux)),
    flux: packFlux(flux),
    overflowed: false,
  };
}

/** `damage` maps the rows that are in the copy as the manifest saw them. */
function copyOf(
  history: readonly Row[],
  damage: (key: number, value: bigint) => bigint | undefined = (_, value) => value,
): TableInspection {
  const touchedIds = new Set(
    history.flatMap((row, key) => (row.fate === 'untouched' ? [] : [JSON.stringify(hashed(key, row.value), big)])),
  );
  const settled: FluxEntry[] = [];
  const recent: FluxEntry[] = [entry(9999, 1n, { recent: true })]; // inserted during the backup
  const matched: FluxEntry[] = [];
  for (const [key, row] of history.entries()) {
    if (row.fate === 'deleted-before') continue;
    if (row.fate === 'updated-before') {
      recent.push(entry(key, row.value + 1n, { recent: true }));
      continue;
    }
    const value = damage(key, row.value);
    if (value === undefined) continue;
    const found = entry(key, value, { recent: row.young });
    if (row.young) recent.push(found);
    else if (touchedIds.has(JSON.stringify(hashed(key, value), big))) matched.push(found);
    else settled.push(found);
  }
  return {
    schema: 'public',
    name: 'model',
    total: noRows,
    settled: totalsOf(settled),
    recent: packFlux(recent),
    matched: packFlux(matched),
    overflowed: false,
  };
}

const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
const equal = { rows: [], content: [] };

describe('comparison of a copy with the manifest', () => {
  test('accepts whatever the load did to the rows before and after the copy', () => {
    fc.assert(
      fc.property(rows, (history) => {
        expect(compareRows(manifestOf(history), copyOf(history))).toEqual(equal);
      }),
    );
  });

  test('refuses a copy in which any row that must be there is changed or gone', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.boolean(), (history, pick, gone) => {
        const present = history.flatMap((row, key) => (row.fate.endsWith('before') ? [] : [key]));
        fc.pre(present.length > 0);
        const victim = present[pick % present.length];
        const damaged = copyOf(history, (key, value) => (key !== victim ? value : gone ? undefined : value + 7n));
        // A young row that is touched may have been updated before the copy, as far as anybody can tell: changing it goes unseen.
        const row = history[victim ?? 0];
        fc.pre(gone || !(row?.young && row.fate !== 'untouched'));
        expect(compareRows(manifestOf(history), damaged)).not.toEqual(equal);
      }),
    );
  });

  test.each<[string, Partial<TableManifest>, Partial<TableInspection>]>([
    ['the manifest overflowed', { overflowed: true }, {}],
    ['the manifest could not read it', { unread: 'locked' }, {}],
    ['the copy could not be read', {}, { unread: 'invalid page' }],
    ['the copy overflowed', {}, { overflowed: true }],
  ])('never passes silently when %s', (_, manifest, copy) => {
    const found = compareRows({ ...manifestOf([]), ...manifest }, { ...copyOf([]), ...copy });
    expect(found.content).toHaveLength(1);
  });

  test('rows that are alike in a table without a key: the untouched twins must be there', () => {
    const twin = { ...entry(1, 5n, { copies: 3 }), key: null };
    const touched = { ...entry(1, 5n, { touched: true }), key: null };
    const manifest = { ...manifestOf([]), hasKey: false, flux: packFlux([twin, touched]) };
    const copyWith = (count: number): TableInspection => ({
      ...copyOf([]),
      matched: packFlux(Array.from({ length: count }, () => touched)),
    });
    expect(compareRows(manifest, copyWith(3))).toEqual(equal); // the touched one was deleted before the copy
    expect(compareRows(manifest, copyWith(4))).toEqual(equal); // or after it
    expect(compareRows(manifest, copyWith(2))).not.toEqual(equal);
    expect(compareRows(manifest, copyWith(5))).not.toEqual(equal);
  });
});

test('a flux list survives packing', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const any = fc.record<FluxEntry>({
    h1: int64,
    h2: int64,
    key: fc.option(int64),
    touched: fc.boolean(),
    recent: fc.boolean(),
    survives: fc.boolean(),
    copies: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  });
  fc.assert(
    fc.property(fc.array(any), (entries) => {
      expect(unpackFlux(packFlux(entries))).toEqual(entries);
    }),
  );
});
