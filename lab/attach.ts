import { hospitalPack } from '../functions/verify/hospital-pack.ts';
import { LabClock } from './clock.ts';
import { Lab } from './lab.ts';
import { labOperations } from './operations.ts';
import { attachRegions } from './regions.ts';

/**
 * A lab that another process keeps running, for the verbs of the command line. Without `dir`, this user's newest one.
 * @throws LabUnavailable when none runs
 */
export async function attachLab(dir?: string) {
  const regions = attachRegions(dir);
  const lab = new Lab(regions, labOperations(regions.state.profile, hospitalPack, regions.state.databaseNames), new LabClock());
  return { ports: lab.ports(), operations: lab.operations, clock: lab.clock, region: regions.primary };
}
