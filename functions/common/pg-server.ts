import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import type { SqlServer, SqlSession } from '../verify/ports.ts';
import { type CodeblueError, ServiceUnavailable } from './errors.ts';
import { SqlFailed } from './sql-failed.ts';

export interface PgAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** TLS: `true` verifies against the system's authorities; give `ca` for RDS. Off when left out. */
  readonly ssl?: boolean | ConnectionOptions;
  /** How long connecting may take; 15 when left out. */
  readonly connectSeconds?: number;
  /** How long one statement may take, answer included, before the connection counts as broken; no limit when left out. */
  readonly querySeconds?: number;
}

const defaultConnectSeconds = 15;

/** Every value stays the text that PostgreSQL printed. */
const asText = { getTypeParser: () => (value: string) => value };

/** A server reached by node-postgres. @throws ServiceUnavailable when it refuses, is starting, stops, or the connection breaks */
export function pgServer({ connectSeconds = defaultConnectSeconds, querySeconds, ...address }: PgAddress): SqlServer {
  return {
    async connect(databaseName: string): Promise<SqlSession> {
      const client = new pg.Client({
        ...address,
        database: databaseName,
        types: asText,
        connectionTimeoutMillis: connectSeconds * 1000,
        ...(querySeconds === undefined ? {} : { query_timeout: querySeconds * 1000 }),
        keepAlive: true,
        application_name: 'codeblue',
      });
      // A broken connection surfaces in the statement that runs on it, or in the next one; unheard, the event would end the process.
      client.on('error', () => {});
      try {
        await client.connect();
      } catch (error) {
        await client.end().catch(() => {});
        throw connectError(error, `${address.host}:${address.port}/${databaseName}`);
      }
      return sessionOf(client);
    },
  };
}

function sessionOf(client: pg.Client): SqlSession {
  return {
    async query(text, values) {
      try {
        const result = await client.query<Record<string, string | null>>(text, values ? [...values] : undefined);
        return result.rows ?? [];
      } catch (error) {
        throw queryError(error);
      }
    },
    async close() {
      await client.end().catch(() => {});
    },
  };
}

function connectError(error: unknown, target: string): CodeblueError {
  const sqlState = sqlStateOf(error);
  const reason = error instanceof Error ? error.message || error.name : String(error);
  // Class 28 is a wrong user or password, 3D a database that is not there: waiting does not mend those.
  if (sqlState?.startsWith('28') || sqlState?.startsWith('3D')) return new SqlFailed(sqlState, `${target}: ${reason}`);
  return new ServiceUnavailable(`cannot connect to PostgreSQL at ${target}: ${reason}`, {
    hint: 'Check that the server runs, that its security group lets this caller in, and that connections are free.',
    cause: error,
  });
}

function queryError(error: unknown): CodeblueError {
  const sqlState = sqlStateOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (sqlState === undefined) return new ServiceUnavailable(`the connection to PostgreSQL broke: ${message}`);
  // 57P01-57P05: shutdown, crash of another backend, starting up, idle timeout; class 08: connection. The session is gone.
  if (/^(57P0[1-5]|08)/.test(sqlState)) return new ServiceUnavailable(`PostgreSQL ended the session: ${message}`);
  // Classes 22, 23 and P0 (RAISE) quote the offending value in their message.
  const quotesValues = /^(22|23|P0)/.test(sqlState);
  return new SqlFailed(sqlState, quotesValues ? `a value broke a rule of the database (SQLSTATE ${sqlState})` : message);
}

function sqlStateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
