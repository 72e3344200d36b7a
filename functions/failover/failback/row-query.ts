import { SqlFailed } from '../../common/sql-failed.ts';
import type { SqlRow, SqlSession } from '../../verify/ports.ts';
import type { RowHash } from '../../verify/row-hash.ts';
import { quoteIdentifier } from '../../verify/session.ts';
import type { TableShape } from '../../verify/tables.ts';
import { here, type KeyColumn, keyItems } from './key-columns.ts';

/** Whole rows in memory at a time. */
export const ROWS_AT_A_TIME = 500;

/** SQL: whole rows as JSON with their place, both content hashes and their key as text. `where` knows the table as `here`. */
export function wholeRows(table: TableShape, { hash, key, where }: { hash: RowHash; key: readonly KeyColumn[]; where: string }): string {
  const columns = table.columns.map(({ name }) => quoteIdentifier(name));
  const items = [...columns, ...hash.forms, 'ctid as codeblue_place', 'xmin as codeblue_xmin'];
  const keys = key.length > 0 ? `, ${keyItems(key, 's')}` : '';
  return `select codeblue_place::text as place, codeblue_xmin::text as xmin, ${hash.h1} as h1, ${hash.h2} as h2,
      (select row_to_json(whole) from (select ${columns.map((column) => `s.${column}`).join(', ')}) whole)::text as whole${keys}
    from (select ${items.join(', ')} from ${here(table)} where ${where} offset 0) s`;
}

/**
 * Rows of a query, a few at a time, however many there are.
 * @throws SqlFailed, ServiceUnavailable
 */
export async function* rowsOf(
  session: SqlSession,
  text: string,
  values: readonly (string | readonly string[])[] = [],
): AsyncGenerator<readonly SqlRow[]> {
  await session.query('begin isolation level repeatable read read only');
  try {
    await session.query(`declare codeblue_rows no scroll cursor for ${text}`, values);
    for (;;) {
      const rows = await session.query(`fetch ${ROWS_AT_A_TIME} from codeblue_rows`);
      if (rows.length === 0) return;
      yield rows;
    }
  } finally {
    await session.query('rollback');
  }
}

/** Statements that must not fail: what `readOnce` returns as a value is thrown here. */
export function required<T>(found: T | SqlFailed): T {
  if (found instanceof SqlFailed) throw found;
  return found;
}
