import type { PgAddress } from '../../../functions/common/pg-server.ts';
import { pgServer } from '../../../functions/common/pg-server.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { HOSPITAL_DATABASE } from '../../hospital/generate.ts';

/** Nobody in the hospital weighs this much, and no change of the writer's makes anybody. */
const wrongWeightKg = 999.9;
/** From the chosen second to the damage. */
const afterTheSecondMs = 300;

export interface Damage {
  /** The last second that is good. */
  readonly until: Date;
  /** The same, by `performance.now()`. */
  readonly untilMs: number;
  readonly rows: number;
}

/** An UPDATE that lost its WHERE clause, a moment after a full second, while everybody writes. */
export async function damageRows(world: FailoverWorld): Promise<Damage> {
  const { clock } = world.lab;
  const until = new Date(Math.ceil(Date.now() / 1000) * 1000);
  await clock.sleep(until.getTime() - Date.now() + afterTheSecondMs);
  const untilMs = performance.now() - (Date.now() - until.getTime());
  const address = world.regions.address(world.sides().leader, 'application');
  await inHospital(address, `UPDATE hospital.patients SET weight_kg = ${wrongWeightKg}`);
  return { until, untilMs, rows: await damagedRows(address) };
}

export async function damagedRows(address: PgAddress): Promise<number> {
  const [row] = await inHospital(address, `SELECT count(*) AS rows FROM hospital.patients WHERE weight_kg = ${wrongWeightKg}`);
  return Number(row?.rows ?? Number.NaN);
}

export async function inHospital(address: PgAddress, text: string) {
  const session = await pgServer(address).connect(HOSPITAL_DATABASE);
  try {
    return await session.query(text);
  } finally {
    await session.close();
  }
}
