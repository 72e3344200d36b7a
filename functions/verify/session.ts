import { InvalidInput } from '../common/errors.ts';
import type { SqlServer, SqlSession } from './ports.ts';

/** Everything that could change how a value prints, what a query may see, or how much of a live server it takes. */
const settings = [
  `datestyle = 'ISO, YMD'`,
  `intervalstyle = 'postgres'`,
  `timezone = 'UTC'`,
  'extra_float_digits = 1',
  `bytea_output = 'hex'`,
  `lc_monetary = 'C'`,
  `lc_numeric = 'C'`,
  `search_path = pg_catalog`,
  `client_encoding = 'UTF8'`,
  'standard_conforming_strings = on',
  'quote_all_identifiers = off',
  `xmlbinary = 'base64'`,
  // Row security that hides rows makes the query fail instead of returning fewer.
  'row_security = off',
  'constraint_exclusion = off',
  // Sessions are our parallelism; age() is parallel restricted, and a live server keeps its workers.
  'jit = off',
  'max_parallel_workers_per_gather = 0',
  'idle_in_transaction_session_timeout = 0',
  "default_transaction_isolation = 'read committed'",
];

/** Not in every version, or not on every platform. The first stops the scan of a verifier that died. */
const optionalSettings = [`client_connection_check_interval = '2s'`, 'idle_session_timeout = 0', 'transaction_timeout = 0'];

export interface SessionLimits {
  /** A statement is cancelled after that long. */
  readonly statementSeconds: number;
  /** Waits for a lock at most that long: never queues behind DDL, so nothing queues behind it. */
  readonly lockSeconds: number;
}

export const LOCK_SECONDS = 2;

/** A session whose output depends on no setting of server, database or role. @throws InvalidInput for PostgreSQL before 14 */
export async function openSession(server: SqlServer, databaseName: string, limits: SessionLimits): Promise<SqlSession> {
  const session = await server.connect(databaseName);
  try {
    const version = await serverVersion(session);
    if (version < 14) {
      throw new InvalidInput(`PostgreSQL ${version} is too old: Codeblue verifies 14 and later`, {
        hint: 'Upgrade the database; versions before 14 get no security fixes.',
      });
    }
    const timeouts = [
      `statement_timeout = ${Math.max(1, Math.round(limits.statementSeconds * 1000))}`,
      `lock_timeout = ${Math.round(limits.lockSeconds * 1000)}`,
    ];
    await session.query([...settings, ...timeouts].map((setting) => `set ${setting}`).join('; '));
    for (const setting of optionalSettings) await session.query(`set ${setting}`).catch(() => []);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Major version: 18. */
async function serverVersion(session: SqlSession): Promise<number> {
  const [row] = await session.query('show server_version_num');
  return Math.floor(Number(row?.server_version_num ?? 0) / 10_000);
}

export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const qualified = ({ schema, name }: { readonly schema: string; readonly name: string }): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
