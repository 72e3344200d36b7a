import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogHead } from '../../../functions/audit/log/models.ts';
import { rootAt } from '../../../functions/audit/log/proofs.ts';
import type { AuditWatchMemory } from '../../../functions/audit/ports.ts';
import { checkAuditLog } from '../../../functions/audit/watch/check-audit-log.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { checkpointSize } from '../../audit/checkpoint-times.ts';
import { hospitalLines } from '../../audit/hospital-events.ts';
import { auditLogDir } from '../../audit/objects.ts';
import { type OtherSequencer, startOtherSequencer } from '../../audit/other-sequencer.ts';
import { type LogOnDisk, publishedHistory, readLogs, verifierKeyIn } from '../../audit/read-log.ts';
import { SingleLog } from '../../audit/single-log.ts';
import { copyOf, filesIn } from './copies.ts';
import { proofFile, verified } from './proof-files.ts';
import { type AuditStage, isWhole, overHttps, reckon, reckoningFigure, someEvents, startLogging } from './stage.ts';
import { lookAtCopy, runWatch } from './watch.ts';

const logging = { perSecond: 100, batch: 25 };
/** Of each config, beside the deployed one. */
const SEQUENCERS = 2;
const PATIENCE_SECONDS = 60;

/** The key of the logs is rotated while applications log and sequencers of both configs work: `audit.generation` is raised by one, and nothing else is done. */
export async function rotation(stage: AuditStage): Promise<void> {
  const { world, phases } = stage;
  await someEvents(stage);
  await phases.run('Rotate the key while applications log, with sequencers of both configs at work', async (say) => {
    const region = world.regions.primary;
    await look(stage, region);
    const [before] = eventsOf(stage, region).slice(-1);
    const proofBefore = await proofFile(stage, 'before-rotation', [`${region}/${before}`]);
    const applications = startLogging(stage, region, overHttps(stage, region), logging);
    const { generation } = world.lab.operations.audit;
    const sequencers = await rotate(stage, region, generation + 1);
    await applications.stop();
    await world.integrated(world.regions.names, PATIENCE_SECONDS);
    const [after] = [...applications.acknowledged.keys()].slice(-1);
    say(`generation ${generation} ended, generation ${generation + 1} goes on`);
    await judgeLogs(stage, region, sequencers);
    await judgeProofs(stage, region, { proofBefore, before: `${before}`, after: `${after}` });
    await judgeSuccessors(stage, region);
  });
}

/** What applications of a Region were promised so far. */
const eventsOf = ({ told }: AuditStage, region: Region): readonly string[] =>
  told.filter((each) => each.region === region).flatMap(({ acknowledged }) => [...acknowledged.keys()]);

/** At the logs of all Regions, from this one; remembers what it saw, so that the next look holds the logs against it. @returns what it found */
async function look(stage: AuditStage, region: Region): Promise<readonly string[]> {
  const { findings } = await runWatch(stage, checkAuditLog, region);
  return findings.map(({ says }) => says);
}

/** Deploys the next generation, as a deployment comes to functions that run: old ones go on beside new ones, for a while even alone. */
async function rotate({ world }: AuditStage, region: Region, next: number): Promise<readonly OtherSequencer[]> {
  const { dir, names } = world.regions;
  const some = () => Promise.all(Array.from({ length: SEQUENCERS }, () => startOtherSequencer(dir, region)));
  const worked = (sequencers: readonly OtherSequencer[]) => async () =>
    sequencers.some(({ finished }) => (finished.get(next) ?? 0) > 0) ? true : undefined;
  const end = (sequencers: readonly OtherSequencer[]) => Promise.all(sequencers.map((each) => each.kill()));
  const old = await some();
  world.deploy({ generation: next });
  const young = await some();
  try {
    await world.until('a new log is begun by the new config', PATIENCE_SECONDS, worked(young));
    await end(young);
    world.killSequencer(region);
    await world.until('the new log is gone on with by the old config', PATIENCE_SECONDS, worked(old));
  } finally {
    await end([...old, ...young]);
  }
  for (const each of names) world.startSequencer(each);
  for (const each of names) {
    const { auditHead } = world.lab.ports(each);
    await world.until(`${each} has its new log`, PATIENCE_SECONDS, async () =>
      (await auditHead.read())?.generation === next ? true : undefined,
    );
  }
  return [...old, ...young];
}

async function judgeLogs(stage: AuditStage, region: Region, sequencers: readonly OtherSequencer[]): Promise<void> {
  const { world, findings } = stage;
  const dir = auditLogDir(world.regions.paths(region));
  const reckoning = await reckon(stage, region);
  const [ended, began] = readLogs(dir).slice(-2);
  const generation = world.lab.operations.audit.generation;
  const histories = [];
  for (const each of [generation - 1, generation]) histories.push(await publishedHistory(join(dir, String(each))));
  const strangers = histories.flatMap((history) => history.strangers);
  const batches = (config: number): number =>
    sequencers
      .filter((each) => each.config === config)
      .reduce((sum, { finished }) => sum + [...finished.values()].reduce((a, b) => a + b, 0), 0);
  findings.promise(
    'P8.rotation',
    'The key is rotated while applications log and sequencers of the old and the new config work at once: every event is in one of the two logs, once, and each log has one history.',
    isWhole(reckoning) && strangers.length === 0 && batches(generation - 1) > 0 && batches(generation) > 0,
    `${reckoningFigure(reckoning)}; ${batches(generation - 1)} batches by ${SEQUENCERS} processes of the old config, ${batches(generation)} by ${SEQUENCERS} of the new; ${strangers.length} checkpoints not a beginning of their log`,
  );
  const keyBefore = verifierKeyIn(join(dir, String(generation - 1)));
  const commits = ended !== undefined && began !== undefined && commitsTo(began, ended, keyBefore);
  const found = await look(stage, region);
  findings.promise(
    'A3.rotation',
    'The old log ends, the first entry of the new one commits to that end and to the old key, and the watch is content.',
    commits && keyBefore !== verifierKeyIn(world.logDir(region)) && found.length === 0,
    found[0] ??
      `${ended?.checkpoint.origin} ended at ${ended?.checkpoint.size} entries, which ${began?.checkpoint.origin} ${commits ? 'commits' : 'does NOT commit'} to; ${began?.checkpoint.size} entries there`,
  );
}

function commitsTo({ predecessor }: LogOnDisk, { checkpoint }: LogOnDisk, key: string): boolean {
  const { origin, size, root } = checkpoint;
  return (
    predecessor?.origin === origin &&
    predecessor.size === size &&
    predecessor.root === Buffer.from(root).toString('base64') &&
    predecessor.verifierKey === key
  );
}

/** A proof of the old log, one that was made of it after it had ended, and one of the new log; each key verifies its own log's alone. */
async function judgeProofs(
  stage: AuditStage,
  region: Region,
  { proofBefore, before, after }: { readonly proofBefore: string; readonly before: string; readonly after: string },
): Promise<void> {
  const { world, findings } = stage;
  const dir = auditLogDir(world.regions.paths(region));
  const { generation } = world.lab.operations.audit;
  const keyFile = (name: string, generations: readonly number[]): string => {
    const path = join(world.regions.dir, `${name}.vkey`);
    writeFileSync(path, generations.map((each) => `${verifierKeyIn(join(dir, String(each)))}\n`).join(''));
    return path;
  };
  const [both, old] = [keyFile('both', [generation - 1, generation]), keyFile('old', [generation - 1])];
  const proofAfter = await proofFile(stage, 'after-rotation', [`${region}/${before}`, `${region}/${after}`]);
  const [first, second, oldKeyAlone] = await Promise.all([
    verified(proofBefore, old),
    verified(proofAfter, both),
    verified(proofAfter, old),
  ]);
  findings.promise(
    'A3.rotated-proof',
    'A proof from before the rotation holds, and afterwards events of both logs are proven, each with the key of its log and no other.',
    first.holds && second.holds && second.proofs === 2 && second.checkpoints === 2 && !oldKeyAlone.holds,
    `from before: ${first.holds ? 'holds' : 'FAILS'}; ${second.proofs} events against ${second.checkpoints} checkpoints: ${second.holds ? 'hold' : 'FAIL'}; the new log with the old key: ${oldKeyAlone.holds ? 'HOLDS' : 'refused'}`,
  );
}

/** The new log made anew by somebody who has its key and lets it follow something else. */
async function judgeSuccessors(stage: AuditStage, region: Region): Promise<void> {
  const { findings } = stage;
  const ends = await otherEnds(stage, region);
  const told: string[] = [];
  const missed: string[] = [];
  for (const [what, head] of ends) {
    const files = await successorOf(stage, region, head);
    const { codes, rung, findings: found } = await lookAtCopy(stage, region, { files, seen: allButTheNewest(stage, region) });
    const isFound = found.some(({ subject }) => subject === 'predecessor') && rung.includes('AuditLogForked');
    (isFound ? told : missed).push(`${what}: ${codes.join(', ') || 'found nothing'}`);
  }
  findings.promise(
    'A3.successor',
    'A new log that commits to another end of the old one, or to none, is found, although its own key signed it.',
    missed.length === 0 && told.length === ends.length,
    [...missed, ...told].join('; '),
  );
}

/** The watch as it would be if it had not looked since the rotation: what it sees of the new log it sees for the first time. */
function allButTheNewest({ world }: AuditStage, region: Region): AuditWatchMemory {
  const { auditWatchMemory } = world.lab.ports(region);
  return {
    ...auditWatchMemory,
    last: async (of, generation) =>
      of === region && generation === world.lab.operations.audit.generation ? undefined : auditWatchMemory.last(of, generation),
    remember: async () => true,
  };
}

/** Ends that the old log did not have, each as the head of a log that a sequencer would rotate. */
async function otherEnds({ world }: AuditStage, region: Region): Promise<readonly (readonly [string, LogHead | undefined])[]> {
  const generation = world.lab.operations.audit.generation - 1;
  const { auditObjects } = world.lab.ports(region);
  const size = checkpointSize(join(auditLogDir(world.regions.paths(region)), String(generation)));
  const older = await rootAt((path) => auditObjects.get(region, `${generation}/${path}`), size - 1, size);
  const head = { version: 1, generation, root: Buffer.from(older).toString('base64') };
  return [
    ['an older end', { ...head, size: size - 1 }],
    ['another root', { ...head, size }],
    ['no end', undefined],
  ];
}

async function successorOf(stage: AuditStage, region: Region, head: LogHead | undefined) {
  const { lab } = stage.world;
  const { operations, clock } = lab;
  const dir = copyOf(stage, region);
  rmSync(join(dir, String(operations.audit.generation)), { recursive: true });
  const log = new SingleLog({ dir, operations, region, clock, signer: lab.ports(region).checkpointSigner, head });
  await log.take(hospitalLines(9, 0, 20, clock.now()));
  await log.sequence();
  return filesIn(stage, dir);
}
