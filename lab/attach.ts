import { LabClock } from './clock.ts';
import { Lab } from './lab.ts';
import { loadOperations } from './operations.ts';
import { attachRegions } from './regions.ts';

/**
 * A lab that another process keeps running, for the verbs of the command line. Without `dir`, this user's newest one.
 * @throws LabUnavailable when none runs
 */
export async function attachLab(dir?: string) {
  const regions = attachRegions(dir);
  const lab = new Lab(regions, loadOperations(regions.dir), new LabClock());
  return { ports: lab.ports(), operations: lab.operations, clock: lab.clock, region: regions.primary };
}
