import type { SnapshotRef } from '../../functions/backup/ports.ts';
import type { SqlSession } from '../../functions/verify/ports.ts';
import { flipStoredBit, passOff, rebuild, truncated, truncateStored, withFlippedPageBit, withoutWal } from '../damage.ts';
import type { Regions } from '../regions.ts';
import type { Victim } from './victim.ts';

/** One kind of damage that every verification must refuse, and the check that must be the one to find it. */
export interface Damage {
  /** Suffix of the promise: `V6.<id>`. */
  readonly id: string;
  readonly says: string;
  /** Any of these may be what refuses it. */
  readonly foundBy: readonly string[];
  /** Left to the tests: another kind that the lab shows is found in the same way. */
  readonly testsOnly?: true;
  /** To the stored bytes, before anything is restored. */
  readonly toStored?: (regions: Regions, ref: SnapshotRef, world: DamageWorld) => Promise<void>;
  /** To the restored database, before it is compared: what a backup that had this damage in it would show. */
  readonly toRestored?: (session: SqlSession, victim: Victim) => Promise<void>;
}

export interface DamageWorld {
  /** An older backup of the same database. */
  readonly older: SnapshotRef;
  readonly victim: Victim;
}

type Sql = (victim: Victim) => readonly string[];

const sql =
  (statements: Sql) =>
  async (session: SqlSession, victim: Victim): Promise<void> => {
    // As damage would: no trigger and no foreign key looks on.
    await session.query('set session_replication_role = replica');
    for (const statement of statements(victim)) await session.query(statement);
  };

const one = ({ table }: Victim): string => `where ctid = (select ctid from only ${table} limit 1)`;
const isFileOf =
  ({ file }: Victim) =>
  (name: string): boolean =>
    name === file;

/** Every kind, each a test of its own from the store to the signed proof (test/scenarios/damage.test.ts). */
export const damages: readonly Damage[] = [
  {
    id: 'flipped-bit',
    says: 'One flipped bit in the stored backup is refused.',
    foundBy: ['integrity'],
    toStored: async (regions, ref) => flipStoredBit(regions, ref),
  },
  {
    id: 'truncated-file',
    testsOnly: true,
    says: 'A stored backup that was cut short is refused.',
    foundBy: ['integrity'],
    toStored: async (regions, ref) => truncateStored(regions, ref),
  },
  {
    id: 'missing-wal-segment',
    says: 'A backup without one of its log segments is refused, although every checksum fits.',
    foundBy: ['integrity', 'restore'],
    toStored: (regions, ref) => rebuild(regions, ref, withoutWal()),
  },
  {
    id: 'flipped-bit-in-page',
    says: 'Flipped bits in pages of a table are refused, although every stored checksum fits.',
    foundBy: ['content', 'rows'],
    toStored: (regions, ref, { victim }) => rebuild(regions, ref, withFlippedPageBit(isFileOf(victim))),
  },
  {
    id: 'truncated-table',
    testsOnly: true,
    says: 'A table whose file lost its second half is refused, although PostgreSQL starts.',
    foundBy: ['content', 'rows'],
    toStored: (regions, ref, { victim }) => rebuild(regions, ref, truncated(isFileOf(victim))),
  },
  {
    id: 'older-backup',
    says: 'An older backup passed off as the new one is refused.',
    foundBy: ['integrity', 'window'],
    toStored: (regions, ref, { older }) => passOff(regions, older, ref),
  },
  {
    id: 'other-database',
    says: 'The backup of another database is refused.',
    foundBy: ['identity'],
    toRestored: sql(() => ['update codeblue.identity set nonce = gen_random_uuid()']),
  },
  {
    id: 'table-missing',
    says: 'A missing table is refused.',
    foundBy: ['schema'],
    toRestored: sql(({ table }) => [`drop table ${table} cascade`]),
  },
  {
    id: 'rows-missing',
    testsOnly: true,
    says: 'One missing row is refused.',
    foundBy: ['content', 'rows'],
    toRestored: sql((victim) => [`delete from only ${victim.table} ${one(victim)}`]),
  },
  {
    id: 'value-changed',
    says: 'One changed value is refused.',
    foundBy: ['content'],
    toRestored: sql((victim) => [`update only ${victim.table} set ${victim.column} = ${victim.otherValue} ${one(victim)}`]),
  },
  {
    id: 'restored-empty',
    testsOnly: true,
    says: 'A restore that succeeds with an empty database is refused.',
    foundBy: ['schema', 'identity'],
    toRestored: async (session) => {
      const schemas = await session.query(
        "select quote_ident(nspname) as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'",
      );
      for (const { name } of schemas) await session.query(`drop schema ${name} cascade`);
    },
  },
];
