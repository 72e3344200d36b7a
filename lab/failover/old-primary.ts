import pg from 'pg';
import type { Region } from '../../functions/common/ids.ts';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import { HOSPITAL_DATABASE } from '../hospital/generate.ts';
import { journalInsert } from '../hospital/journal.ts';
import { replicationLag } from '../postgres/standby.ts';
import { standbyName } from '../region.ts';
import type { FailoverWorld } from './world.ts';

export interface Attempts {
  readonly accepted: number;
  readonly refused: number;
  /** SQLSTATE of the refusals, or the code of the system error. */
  readonly codes: ReadonlySet<string>;
}

/** Ids of attempts: far from those of the writer, so that one that is accepted is seen as such everywhere. */
const FIRST_ID = 1_000_000_000;

/** Writes to a region's server as an application would that still has its address. */
export const tryToWrite = ({ regions }: FailoverWorld, region: Region, times: number): Promise<Attempts> =>
  tryToWriteAt(regions.address(region, 'application'), times);

/** The same to a server of no region's name. */
export async function tryToWriteAt(address: PgAddress, times: number): Promise<Attempts> {
  const codes = new Set<string>();
  let accepted = 0;
  for (let attempt = 0; attempt < times; attempt++) {
    const client = new pg.Client({ ...address, database: HOSPITAL_DATABASE });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(journalInsert, [FIRST_ID + Math.round(performance.now() * 1000) + attempt]);
      accepted++;
    } catch (error) {
      codes.add(error instanceof Error && 'code' in error ? String(error.code) : 'unknown');
    } finally {
      await client.end().catch(() => {});
    }
  }
  return { accepted, refused: times - accepted, codes };
}

/** Makes the other region a standby of the leading one again, and waits until it has everything. @throws LabUnavailable when it does not come up */
export async function restoreProtection(world: FailoverWorld): Promise<void> {
  const { leader, other } = world.sides();
  const { replicas } = world.lab.ports(leader);
  const { databaseId } = world.regions.state;
  await replicas.rebuild({ databaseId, region: other, from: leader, epoch: world.record().epoch });
  await world.until(`${other} is a standby of ${leader}`, 60, async () => {
    const { role, status, says } = await replicas.describe(databaseId, other);
    if (status === 'failed') throw new TypeError(`${other} could not be rebuilt: ${says}`);
    if (role !== 'replica' || status !== 'available') return false;
    const lag = await replicationLag(world.regions.address(leader, 'admin'), standbyName(other));
    return lag !== undefined && lag.bytes < 1_000_000;
  });
}
