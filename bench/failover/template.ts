import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import { loadHospital } from '../../lab/hospital/generate.ts';
import { replicationLag } from '../../lab/postgres/standby.ts';
import type { Regions } from '../../lab/regions.ts';
import { startRegions } from '../../lab/start.ts';
import type { LabState } from '../../lab/state.ts';
import { until } from './command.ts';

/** The lab's regions at rest: a primary and two standbys that have all of it, stopped in order. Every play starts from a copy. */
export interface Template {
  readonly regions: readonly Region[];
  readonly accounts: LabState['accounts'];
  /** PostgreSQL's programs that made it: the same for all contenders. */
  readonly postgres: string;
  readonly postgresVersion: string;
  /** Puts a copy of one region's data directory at `target`, without configuration. */
  copyData(region: Region, target: string): Promise<void>;
}

const HOSPITAL_BYTES = 32e6;

/** Makes it with the lab's own code, below `dir`. */
export async function makeTemplate(dir: string): Promise<Template> {
  const names = { primary: 'us-east-1', standby: 'us-west-2', tertiary: 'us-east-2' } as const;
  const { regions, stop } = await startRegions({
    baseDir: join(dir, 'labs'),
    deployment: 'bench',
    databaseId: DatabaseId.parse('hospital'),
    regions: { primary: Region.parse(names.primary), standby: Region.parse(names.standby), tertiary: Region.parse(names.tertiary) },
    seed: 1,
    load: loadHospital(HOSPITAL_BYTES),
  });
  try {
    const postgresVersion = await versionOf(regions);
    await standbysHaveAll(regions);
    for (const name of regions.names) await regions.use(name).server.stop();
    const pathOf = (region: Region): string => join(dir, 'template', region);
    for (const name of regions.names) await copyTree(regions.use(name).paths.data, pathOf(name));
    return {
      regions: regions.names,
      accounts: regions.state.accounts,
      postgres: regions.runtime.binaries.postgres,
      postgresVersion,
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

async function standbysHaveAll(regions: Regions): Promise<void> {
  const primary = regions.address(regions.primary, 'admin');
  for (const name of regions.names.filter((each) => each !== regions.primary)) {
    await until(`the standby in ${name}`, async () => {
      const lag = await replicationLag(primary, name.replaceAll('-', '_'));
      return lag?.bytes === 0 ? true : undefined;
    });
  }
}

async function versionOf(regions: Regions): Promise<string> {
  const session = await pgServer(regions.address(regions.primary, 'admin')).connect('postgres');
  try {
    const [row] = await session.query('SHOW server_version');
    return String(row?.server_version);
  } finally {
    await session.close();
  }
}
