import pg from 'pg';
import { Region } from '../../../functions/common/ids.ts';
import { completeFence } from '../../../functions/failover/fence/complete-fence.ts';
import { fenceOver } from '../../../functions/failover/fence/fence-over.ts';
import { Epoch } from '../../../functions/failover/models.ts';
import type { Fence } from '../../../functions/failover/ports.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

export const epoch = (count: number): Epoch => Epoch.parse(count);
export const virginia = Region.parse('us-east-1');

/** A second, in the unit of the lease. */
export const SECOND = 1_000_000;
/** Longer than any test takes. */
export const LONG = 3_600 * SECOND;

/** SQLSTATE of a refused write: read_only_sql_transaction. */
export const REFUSED = '25006';

/** A server whose database `postgres` is fenced, with tables of an application, and an application that owns and writes them. */
export interface FencedDatabase {
  readonly postgres: TestPostgres;
  readonly fence: Fence;
  /** A session of the application. Ended with the database, if not before. */
  application(databaseName?: string): Promise<pg.Client>;
  /** A new lease in a later epoch than every one before, that ends so many microseconds from now. */
  lease(remainingMicros: number): Promise<Epoch>;
  stop(): Promise<void>;
}

export async function startFencedDatabase(schema: string, settings: Readonly<Record<string, string>> = {}): Promise<FencedDatabase> {
  const postgres = await startPostgres(settings);
  const clients: pg.Client[] = [];
  try {
    await postgres.sql('postgres', 'create role app login; create schema app authorization app; alter role app set search_path = app');
    const application = async (databaseName = 'postgres'): Promise<pg.Client> => {
      const client = new pg.Client({ host: '127.0.0.1', port: postgres.port, user: 'app', database: databaseName });
      client.on('error', () => {}); // a session that the fence ends
      await client.connect();
      clients.push(client);
      return client;
    };
    await (await application()).query(schema);
    await completeFence(postgres.server, 'postgres');
    const fence = await fenceOver(postgres.server, ['postgres']);
    let latest = 0;
    return {
      postgres,
      fence,
      application,
      async lease(remainingMicros) {
        latest = Math.max(latest, (await fence.state()).epoch) + 1;
        const untilMicros = (await fence.clock()) + remainingMicros;
        await fence.renew({ epoch: epoch(latest), holder: virginia, untilMicros });
        return epoch(latest);
      },
      async stop() {
        await Promise.all(clients.map((client) => client.end().catch(() => {})));
        await fence.end();
        await postgres.stop();
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

/** SQLSTATE of what a statement fails with, undefined when it succeeds. */
export async function sqlStateOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error.code;
    throw error;
  }
}

/** Looks until a condition holds: what is waited for is an act of another session that has been started already. */
export async function waitUntil(client: pg.Client, condition: string): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ holds: boolean }>(`select ${condition} as holds`);
    if (rows[0]?.holds) return;
  }
}
