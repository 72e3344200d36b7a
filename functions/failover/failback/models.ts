import { z } from 'zod';

/** What only the old primary had, of one table. Counts and names; the rows are in the export. */
export const TableLosses = z.strictObject({
  /** `schema.table`. */
  table: z.string(),
  inserted: z.int().nonnegative(),
  updated: z.int().nonnegative(),
  deleted: z.int().nonnegative(),
  /** Of those, rows that the new primary has written since its promotion: somebody must decide between the two. */
  changedSince: z.int().nonnegative(),
  /** Rows are told apart by key; false: by their content alone, where an update looks like a deletion and an insertion. */
  byKey: z.boolean(),
  /** What could not be told of this table, and why. */
  incomplete: z.string().max(300).optional(),
});
export type TableLosses = z.output<typeof TableLosses>;
