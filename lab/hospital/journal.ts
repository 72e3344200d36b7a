import type { PgAddress } from '../../functions/common/pg-server.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { LoadData } from '../start.ts';
import { HOSPITAL_DATABASE, loadHospital } from './generate.ts';

/** A row for each of the writer's transactions, written in the transaction itself: it is there exactly when the transaction is. */
const TABLE = 'lab.journal';
export const journalInsert = `INSERT INTO ${TABLE} (id) VALUES ($1)`;

/** The hospital with a journal, owned by the application as all of its tables are. */
export const loadHospitalWithJournal =
  (sizeBytes: number): LoadData =>
  async (target) => {
    const names = await loadHospital(sizeBytes)(target);
    const session = await pgServer(target.admin).connect(HOSPITAL_DATABASE);
    try {
      await session.query(`CREATE SCHEMA lab AUTHORIZATION "${target.owner}"`);
      await session.query(`SET ROLE "${target.owner}"`);
      await session.query(`CREATE TABLE ${TABLE} (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())`);
    } finally {
      await session.close();
    }
    return names;
  };

/** Ids of the transactions that this server has. */
export async function readJournal(address: PgAddress): Promise<ReadonlySet<number>> {
  const session = await pgServer(address).connect(HOSPITAL_DATABASE);
  try {
    const rows = await session.query(`SELECT id FROM ${TABLE}`);
    return new Set(rows.map(({ id }) => Number(id)));
  } finally {
    await session.close();
  }
}
