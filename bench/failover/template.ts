import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { type PgAddress, pgServer } from '../../functions/common/pg-server.ts';
import { loadHospitalWithJournal } from '../../lab/hospital/journal.ts';
import { labRegions } from '../../lab/operations.ts';
import { replicationLag } from '../../lab/postgres/standby.ts';
import { standbyName } from '../../lab/region.ts';
import { startRegions } from '../../lab/start.ts';
import type { LabState } from '../../lab/state.ts';
import { until } from './command.ts';

/** The lab's regions at rest: a primary and a standby that has all of it, stopped in order. Every play starts from a copy. */
export interface Template {
  /** All three; the third has no database. */
  readonly regions: readonly Region[];
  readonly primary: Region;
  readonly standby: Region;
  readonly accounts: LabState['accounts'];
  /** PostgreSQL's programs that made it: the same for all contenders. */
  readonly postgres: string;
  readonly postgresVersion: string;
  /** Puts a copy of one region's data directory at `target`, without configuration. */
  copyData(region: Region, target: string): Promise<void>;
}

/** Size of the data, for every contender. */
export const HOSPITAL_BYTES = 32e6;

/** Makes it with the lab's own code, below `dir`. */
export async function makeTemplate(dir: string): Promise<Template> {
  const { regions, stop } = await startRegions({
    baseDir: join(dir, 'labs'),
    deployment: 'bench',
    databaseId: DatabaseId.parse('hospital'),
    regions: {
      primary: Region.parse(labRegions.primary),
      standby: Region.parse(labRegions.standby),
      tertiary: Region.parse(labRegions.tertiary),
    },
    standbys: ['standby'],
    seed: 1,
    load: loadHospitalWithJournal(HOSPITAL_BYTES),
  });
  try {
    const [primary, standby] = [regions.startedAs('primary'), regions.startedAs('standby')];
    const admin = regions.address(primary, 'admin');
    const postgresVersion = await versionOf(admin);
    await until('a standby that has everything', async () =>
      (await replicationLag(admin, standbyName(standby)))?.bytes === 0 ? true : undefined,
    );
    // The primary first: it ends when its standby has all of its log.
    for (const name of [primary, standby]) await regions.use(name).server.stop();
    const pathOf = (region: Region): string => join(dir, 'template', region);
    for (const name of [primary, standby]) await copyTree(regions.use(name).paths.data, pathOf(name));
    return {
      ...{ regions: regions.names, primary, standby, postgresVersion },
      accounts: regions.state.accounts,
      postgres: regions.runtime.binaries.postgres,
      copyData: async (region, target) => {
        await copyTree(pathOf(region), target);
        await rm(join(target, 'postgresql.auto.conf'), { force: true });
        await writeFile(join(target, 'postgresql.conf'), '', { mode: 0o600 });
      },
    };
  } finally {
    await stop();
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(join(to, '..'), { recursive: true });
  await cp(from, to, { recursive: true, preserveTimestamps: true });
}

async function versionOf(admin: PgAddress): Promise<string> {
  const session = await pgServer(admin).connect('postgres');
  try {
    const [row] = await session.query('SHOW server_version');
    return String(row?.server_version);
  } finally {
    await session.close();
  }
}
