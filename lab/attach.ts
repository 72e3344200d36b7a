import type { Region } from '../functions/common/ids.ts';
import { LabClock } from './clock.ts';
import { LabUnavailable } from './errors.ts';
import { Lab } from './lab.ts';
import { runningLabs } from './lab-dir.ts';
import { loadOperations } from './operations.ts';
import { attachRegions } from './regions.ts';

/**
 * A lab that another process keeps running, for the verbs of the command line. Without `dir`, the one of this user that runs: with several, a guess
 * could put a hold on somebody else's.
 * @throws LabUnavailable when none runs, or several and none is named
 */
export async function attachLab(dir?: string) {
  const running = dir === undefined ? runningLabs() : [];
  if (running.length > 1) {
    throw new LabUnavailable(`${running.length} labs are running`, {
      hint: `Name the one you mean: ${running.map((each) => `--lab ${each}`).join(' or ')}`,
    });
  }
  const regions = attachRegions(dir);
  const lab = new Lab(regions, loadOperations(regions.dir), new LabClock());
  return {
    ports: lab.ports(),
    portsIn: (region: Region) => lab.ports(region),
    operations: lab.operations,
    clock: lab.clock,
    region: regions.primary,
  };
}
