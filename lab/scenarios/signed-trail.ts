import { join } from 'node:path';
import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import { sequencerMemory } from '../../functions/audit/log/sequencer.ts';
import { lookAtLogs } from '../../functions/audit/watch/look-at-logs.ts';
import { minutes } from '../../functions/common/duration.ts';
import { auditLogDir } from '../audit/objects.ts';
import { readLog } from '../audit/read-log.ts';
import type { Lab } from '../lab.ts';
import type { Phases } from '../phases.ts';
import type { Findings } from '../report.ts';

/** Whatever Codeblue did in this run is in its audit log: each Region's is sequenced to its end, and verified entry by entry. */
export async function signedTrail({
  lab,
  phases,
  findings,
}: {
  readonly lab: Lab;
  readonly phases: Phases;
  readonly findings: Findings;
}): Promise<void> {
  await phases.run('Verify the signed log of everything that was done', async () => {
    const { operations, clock, regions } = lab;
    const readUntil = new Date(clock.now().getTime() + minutes(5) * 1000);
    const wrong: string[] = [];
    let entries = 0;
    for (const region of regions.names) {
      const ports = { ...lab.ports(region), operations, clock, region };
      const memory = sequencerMemory();
      while ((await sequenceOnce(ports, memory)).did !== 'nothing');
      if (!(await ports.auditHead.read())) continue; // nothing was done there
      const looked = await lookAtLogs(region, { ...ports, readUntil });
      wrong.push(...looked.findings.map(({ says }) => says));
      const ids = new Set(readLog(join(auditLogDir(regions.paths(region)), String(operations.audit.generation))).eventIds);
      entries += ids.size;
    }
    const acts = (await lab.ports().auditLog.recent(new Date(0), 1_000_000)).length;
    findings.promise(
      'A1.acts',
      'Every act of this run is in a signed log that verifies, entry by entry.',
      wrong.length === 0 && entries >= acts && acts > 0,
      wrong[0] ?? `${acts} acts, ${entries} entries in the logs of ${regions.names.length} Regions`,
    );
  });
}
