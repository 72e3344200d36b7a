import { readFileSync } from 'node:fs';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { SqlServer, SqlSession } from '../../functions/verify/ports.ts';
import { quoteIdent } from '../roles.ts';
import type { LoadData } from '../start.ts';

/** Measured: the whole database, indexes included, divided by its patients. */
const BYTES_PER_PATIENT = 9_500;
/** Catalogs and empty partitions. */
const BASE_BYTES = 12_000_000;
/** One per core of a small laptop. */
const CONNECTIONS = 2;

export const HOSPITAL_DATABASE = 'hospital';

export const patientsFor = (sizeBytes: number): number => Math.max(50, Math.round((sizeBytes - BASE_BYTES) / BYTES_PER_PATIENT));

/** Fills the primary with an invented hospital of about `sizeBytes`, generated inside PostgreSQL. */
export function loadHospital(sizeBytes: number): LoadData {
  return async ({ admin, owner, seed, report }) => {
    const server = pgServer(admin);
    await inSession(server, 'postgres', [`CREATE DATABASE ${quoteIdent(HOSPITAL_DATABASE)} OWNER ${quoteIdent(owner)}`]);
    const says = 'filling the hospital';
    report({ says, fraction: 0 });
    const asOwner = `SET ROLE ${quoteIdent(owner)}`;
    await inSession(server, HOSPITAL_DATABASE, [asOwner, sqlFile('schema.sql'), ...supportFunctions(seed)]);
    const values = { patients: patientsFor(sizeBytes), seed };
    const data = steps('data.sql').map((step) => fill(step, values));
    const constraints = steps('constraints.sql');
    const total = data.length + constraints.length;
    let done = 0;
    const progress = (): void => report({ says, fraction: ++done / total });
    await inParallel(admin, asOwner, data, progress);
    // One after the other: foreign keys need the keys of the steps before them.
    for (const step of constraints) {
      await inSession(server, HOSPITAL_DATABASE, [asOwner, step]);
      progress();
    }
    await inSession(server, HOSPITAL_DATABASE, [...dropSupport, ...sequences, 'VACUUM (FREEZE, ANALYZE)']);
    return [HOSPITAL_DATABASE];
  };
}

/**
 * Each step in a transaction that first empties its table: with `wal_level = minimal` its rows then skip the log. The steps take
 * turns over a few connections; the largest come first in time because they stand in the middle of the file.
 */
async function inParallel(admin: PgAddress, asOwner: string, data: readonly string[], progress: () => void): Promise<void> {
  const waiting = [...data];
  const server = pgServer(admin);
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
        const table = /INSERT INTO ([a-z_.]+)/.exec(step)?.[1] ?? '';
        await inSession(server, HOSPITAL_DATABASE, [asOwner, `BEGIN; TRUNCATE ${table}; ${step}; COMMIT`]);
        progress();
      }
    }),
  );
}

/** What data.sql builds on; gone when the data is there. */
const supportFunctions = (seed: number): readonly string[] => [
  `CREATE FUNCTION lab_hash(i bigint, salt int) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql
     RETURN hashint8extended(i, ${seed}::bigint * 1000 + salt) & 9223372036854775807`,
  `CREATE FUNCTION lab_id(kind text, i bigint) RETURNS uuid IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN md5(kind || '${seed}:' || i::text)::uuid`,
  // Every function must be exactly as immutable as what it calls (text || bigint is not): only then it is inlined, and five times faster.
  // Sixteen months, to the second.
  `CREATE FUNCTION lab_time(i bigint, salt int) RETURNS timestamptz IMMUTABLE PARALLEL SAFE LANGUAGE sql
     RETURN to_timestamp(1751328000 + lab_hash(i, salt) % 42000000)`,
  // Three orders for every two encounters.
  `CREATE FUNCTION lab_encounter_of(i bigint) RETURNS bigint IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN 1 + (i - 1) * 2 / 3`,
];
const dropSupport = [
  'DROP FUNCTION lab_encounter_of(bigint); DROP FUNCTION lab_time(bigint, int); DROP FUNCTION lab_id(text, bigint); DROP FUNCTION lab_hash(bigint, int)',
];

/** The rows brought their own numbers: the sequences go on after them. */
const sequences = ['hospital.appointments', 'hospital.orders', 'hospital.prescriptions', 'hospital.results', 'billing.invoices'].map(
  (table) => `SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}))`,
);

const sqlFile = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

const steps = (name: string): readonly string[] =>
  sqlFile(name)
    .split(/^-- step: .*\n/m)
    .slice(1)
    .map((step) => step.trim().replace(/;$/, ''));

const fill = (step: string, values: Readonly<Record<string, number>>): string =>
  step.replace(/(?<!:):([a-z]+)\b/g, (whole, name: string) => (name in values ? String(values[name]) : whole));

async function inSession(server: SqlServer, databaseName: string, statements: readonly string[]): Promise<void> {
  const session: SqlSession = await server.connect(databaseName);
  try {
    for (const statement of statements) await session.query(statement);
  } finally {
    await session.close();
  }
}
