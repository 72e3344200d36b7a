import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cosignaturesIn } from '../../../functions/audit/log/cosignature.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { alarmTable } from '../../../functions/incidents/alarms/table.ts';
import { metricNames } from '../../../functions/maintenance/metric-names.ts';
import { tasks } from '../../../functions/tasks.ts';
import { checkpointSize } from '../../audit/checkpoint-times.ts';
import { LabWitness } from '../../audit/lab-witness.ts';
import { verifierKeyIn } from '../../audit/read-log.ts';
import { proofFile, verified } from './proof-files.ts';
import { type AuditStage, isWhole, overHttps, reckon, reckoningFigure, someEvents, startLogging } from './stage.ts';
import { type Asked, askForForks } from './unwitnessed.ts';

const logging = { perSecond: 100, batch: 25 };
const LOGGED_MS = 500;
const PATIENCE_SECONDS = 60;
/** A key that nobody has the other half of here. */
const STRANGER = 'stranger.example+786aa69b+BCjCOfyn9tSTpT5T2rqr9Fb7QmQBj9utWRQLKox9o024';

/** A witness, who is a process with a key and a memory of its own, cosigns the logs; it is taken away, with and without a quorum; and it is shown what is no continuation of what it saw. */
export async function witnessed(stage: AuditStage): Promise<void> {
  const { world, phases } = stage;
  await someEvents(stage);
  await phases.run('Have checkpoints cosigned by a witness, take it away, and show it forks', async (say) => {
    const { names, primary: region } = world.regions;
    const keys = names.map((each) => verifierKeyIn(world.logDir(each)));
    const witness = await LabWitness.open(join(world.regions.dir, 'witness'), keys);
    const keyFile = join(world.regions.dir, 'witnessed.vkey');
    writeFileSync(keyFile, `${keys.join('\n')}\n`);
    const acting = { stage, region, witness, keyFile };
    try {
      const older = readFileSync(join(world.logDir(region), 'checkpoint'), 'utf8');
      await cosign(acting);
      say('cosigned');
      const late = await goOnWithout(acting);
      say(`${late.counted} passes counted a cosignature as late`);
      await waitForQuorum(acting, late);
      await refuse(acting, older);
    } finally {
      await witness.kill();
      deploy(acting, undefined);
    }
  });
}

interface Acting {
  readonly stage: AuditStage;
  readonly region: Region;
  readonly witness: LabWitness;
  /** Keys of the logs, for whoever verifies. */
  readonly keyFile: string;
}

/** A config with the witness, or without any; sequencers start anew with it. */
function deploy({ stage, witness: { url, verifierKey } }: Acting, quorum: number | undefined): void {
  const { world } = stage;
  world.deploy({ witnesses: quorum === undefined ? { use: [], quorum: 0 } : { use: [{ url, verifierKey }], quorum } });
  for (const region of world.regions.names) world.startSequencer(region);
}

/** Applications log for a moment. @returns ids of what was acknowledged */
async function log({ stage, region }: Acting): Promise<readonly string[]> {
  const applications = startLogging(stage, region, overHttps(stage, region), logging);
  await stage.world.lab.clock.sleep(LOGGED_MS);
  await stage.world.until('something is acknowledged', PATIENCE_SECONDS, () => (applications.acknowledged.size > 0 ? true : undefined));
  await applications.stop();
  return [...applications.acknowledged.keys()];
}

const checkpointOf = ({ stage, region }: Acting): string => readFileSync(join(stage.world.logDir(region), 'checkpoint'), 'utf8');
const cosignedAt = (acting: Acting): Date | undefined => cosignaturesIn(checkpointOf(acting), [acting.witness.verifierKey])[0]?.at;

/** What the sequencers of the Region counted as late so far. */
const lateCounts = ({ stage, region }: Acting): readonly number[] =>
  stage.world.lab.metrics.recorded
    .filter(({ name, dimensions }) => name === metricNames.audit.cosignaturesLate && dimensions.Region === region)
    .map(({ value }) => value);

async function cosign(acting: Acting): Promise<void> {
  const { stage, region, witness, keyFile } = acting;
  const { world, findings } = stage;
  deploy(acting, 0);
  const [event] = await log(acting);
  await world.integrated([region], PATIENCE_SECONDS);
  const at = await world.until('the checkpoint is cosigned', PATIENCE_SECONDS, () => cosignedAt(acting));
  const proof = await proofFile(stage, 'witnessed', [`${region}/${event}`]);
  const [trusted, stranger] = await Promise.all([
    verified(proof, keyFile, ['--witness', witness.verifierKey]),
    verified(proof, keyFile, ['--witness', STRANGER]),
  ]);
  findings.promise(
    'A3.witness',
    'A witness in a process of its own cosigns checkpoints over HTTP, and a proof shows it to whoever trusts that witness, and to nobody else.',
    trusted.holds && trusted.bodies === 1 && !stranger.holds,
    `cosigned at ${at.toISOString()}; with its key the proof ${trusted.holds ? 'holds' : 'FAILS'}, with another witness's it ${stranger.holds ? 'HOLDS' : 'is refused'}`,
  );
}

/** The witness is optional: nobody answers, and the log goes on. @returns what was counted */
async function goOnWithout(acting: Acting): Promise<{ readonly counted: number; readonly grew: number; readonly isToldApart: boolean }> {
  const { stage, region, witness, keyFile } = acting;
  const { world } = stage;
  const [before, counted] = [checkpointSize(world.logDir(region)), lateCounts(acting).length];
  await witness.kill();
  const [event] = await log(acting);
  await world.integrated([region], PATIENCE_SECONDS);
  await world.until('the cosignature is counted as late', PATIENCE_SECONDS, () => (lateCounts(acting).length > counted ? true : undefined));
  const proof = await proofFile(stage, 'unwitnessed', [`${region}/${event}`]);
  const [plain, witnessWanted] = await Promise.all([
    verified(proof, keyFile),
    verified(proof, keyFile, ['--witness', witness.verifierKey]),
  ]);
  return {
    counted: lateCounts(acting).length - counted,
    grew: checkpointSize(world.logDir(region)) - before,
    isToldApart: plain.holds && !witnessWanted.holds,
  };
}

/** The witness is required: nothing is published until it is back, and what waited is all there then. */
async function waitForQuorum(acting: Acting, optional: Awaited<ReturnType<typeof goOnWithout>>): Promise<void> {
  const { stage, region, witness, keyFile } = acting;
  const { world, findings } = stage;
  await world.integrated([region], PATIENCE_SECONDS);
  deploy(acting, 1);
  const [before, counted] = [checkpointSize(world.logDir(region)), lateCounts(acting).length];
  const acknowledged = await log(acting);
  await world.until('a pass ends below the quorum', PATIENCE_SECONDS, () => (lateCounts(acting).length > counted ? true : undefined));
  const stood = checkpointSize(world.logDir(region)) === before;
  await witness.revive();
  await world.integrated([region], PATIENCE_SECONDS);
  const reckoning = await reckon(stage, region);
  const proof = await proofFile(stage, 'witnessed-again', [`${region}/${acknowledged[0]}`]);
  const { holds } = await verified(proof, keyFile, ['--witness', witness.verifierKey]);
  const isWatched = alarmTable({ operations: world.lab.operations, region, tasks }).some(
    ({ alarm, metric }) => alarm === 'WitnessLate' && 'name' in metric && metric.name === metricNames.audit.cosignaturesLate,
  );
  findings.promise(
    'A3.witness-late',
    'Without its witness the log goes on where that is optional, and waits where it is required: counted as late, nothing acknowledged is lost, and all of it is cosigned afterwards.',
    optional.grew > 0 && optional.counted > 0 && optional.isToldApart && stood && isWhole(reckoning) && holds && isWatched,
    `optional: ${optional.grew} entries published, counted as late ${optional.counted} times (alarm WitnessLate); required: ${acknowledged.length} events acknowledged and ${stood ? 'none' : 'SOME'} published until it was back, then ${reckoningFigure(reckoning)}`,
  );
}

async function refuse({ stage, region, witness }: Acting, older: string): Promise<void> {
  const asked = await askForForks(stage, region, { witness, older });
  const figure = ({ what, why, wanted }: Asked): string => `${what}: ${why === wanted ? why : `${why ?? 'COSIGNED'} instead of ${wanted}`}`;
  stage.findings.promise(
    'A3.witness-fork',
    'A fork that the log’s own key signed gets no cosignature, nor does an older log, nor one of another key.',
    asked.every(({ why, wanted }) => why === wanted),
    asked.map(figure).join('; '),
  );
}
