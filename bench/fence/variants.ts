import { Region } from '../../functions/common/ids.ts';
import { completeFence } from '../../functions/failover/fence/complete-fence.ts';
import { fenceOver } from '../../functions/failover/fence/fence-over.ts';
import { FENCE_TRIGGER } from '../../functions/failover/fence/fenced-tables.ts';
import { Epoch } from '../../functions/failover/models.ts';
import type { SqlServer, SqlSession } from '../../functions/verify/ports.ts';

/** One way to fence, or none. */
export interface Variant {
  readonly name: string;
  /** Body of the function of the trigger before each statement; `fence` is the product's own. */
  readonly statement?: string;
  /** Body of the function of a deferred trigger for each row. */
  readonly commit?: string;
  readonly product?: true;
}

const ends = `pg_catalog.to_timestamp(pg_catalog.pg_sequence_last_value('bench.lease_until')::float8 / 1e6)`;
const sequence = `begin if (${ends} > pg_catalog.clock_timestamp()) is not true then raise exception 'over'; end if; return null; end`;
const row = `begin
  if not exists (select from bench.lease where until_micros > extract(epoch from clock_timestamp()) * 1e6) then raise exception 'over'; end if;
  return null; end`;
const timeout = `declare value text; begin
  if (${ends} > pg_catalog.clock_timestamp()) is not true then raise exception 'over'; end if;
  value := pg_catalog.set_config('transaction_timeout', '20000', true);
  return null; end`;

const nothing = 'begin return null; end';

export const none: Variant = { name: 'no fence' };
export const product: Variant = { name: 'Codeblue: guard, and one check at commit', product: true };
export const perRow: Variant = { name: 'sequence, deferred check for each row', statement: sequence, commit: sequence };
/** In the order in which they are measured and printed. */
export const variants: readonly Variant[] = [
  none,
  product,
  { name: 'triggers that check nothing, at the statement', statement: nothing },
  { name: 'the same, and deferred for each row', statement: nothing, commit: nothing },
  { name: 'sequence, at the statement only (not safe)', statement: sequence },
  { name: 'sequence, transaction_timeout (kills the idle)', statement: timeout },
  perRow,
  { name: 'lease row, at the statement only (not safe)', statement: row },
];

/** What the rivals look at: a lease that lasts. */
export async function installRivals(session: SqlSession): Promise<void> {
  const forEver = Number.MAX_SAFE_INTEGER;
  await session.query(`create schema bench; create sequence bench.lease_until; select setval('bench.lease_until', ${forEver});
    create table bench.lease (until_micros bigint); insert into bench.lease values (${forEver})`);
}

/** Takes off every fence and puts this one on. No transaction may be open. */
export async function fenceBy(variant: Variant, server: SqlServer, databaseName: string, tables: readonly string[]): Promise<void> {
  const session = await server.connect(databaseName);
  try {
    const names = variant.product ? ['bench_statement', 'bench_commit'] : [FENCE_TRIGGER, 'bench_statement', 'bench_commit'];
    await session.query(tables.flatMap((table) => names.map((name) => `drop trigger if exists ${name} on ${table};`)).join(' '));
    await session.query('drop function if exists bench.at_statement, bench.at_commit');
    if (variant.statement) {
      await session.query(functionOf('at_statement', variant.statement));
      for (const table of tables) {
        await session.query(
          `create trigger bench_statement before insert or update or delete or truncate on ${table} execute function bench.at_statement()`,
        );
      }
    }
    if (variant.commit) {
      await session.query(functionOf('at_commit', variant.commit));
      for (const table of tables) {
        await session.query(`create constraint trigger bench_commit after insert or update or delete on ${table}
          deferrable initially deferred for each row execute function bench.at_commit()`);
      }
    }
  } finally {
    await session.close();
  }
  if (variant.product) await completeFence(server, databaseName);
}

/** A guardian as a deployment has one: renews every three seconds, and sweeps up by it. @returns what stops it */
export async function guard(server: SqlServer, databaseName: string): Promise<() => Promise<void>> {
  const fence = await fenceOver(server, [databaseName]);
  const renew = async (): Promise<void> => {
    const untilMicros = (await fence.clock()) + 20_000_000;
    await fence.renew({ epoch: Epoch.parse(1), holder: Region.parse('us-east-1'), untilMicros });
  };
  await renew();
  const timer = setInterval(() => void renew(), 3_000);
  return async () => {
    clearInterval(timer);
    await fence.end();
  };
}

const functionOf = (name: string, body: string): string =>
  `create function bench.${name}() returns trigger language plpgsql as $bench$${body}$bench$`;
