import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Region } from '../../../functions/common/ids.ts';
import { publishedHistory } from '../../audit/read-log.ts';
import { type AuditStage, isWhole, overHttps, reckon, reckoningFigure, startLogging } from './stage.ts';

/** Calls that a pass makes with some hundred events: after each of them a process dies. */
const CALLS = 18;
const logging = { perSecond: 100, batch: 25 };
/** Of a process that never came to the call that it is about. */
const PATIENCE_MS = 20_000;

/** Two sequencers of one log at a time, each a process of its own that is killed after one more call than the one before; then the deployed one finishes what they left. */
export async function twoSequencers(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.startedAs('standby');
  await phases.run(`Sequence ${region} twice at once, and kill both, again and again`, async (say) => {
    world.killSequencer(region);
    const applications = startLogging(stage, region, overHttps(stage, region), logging);
    const sizes = new Set<number>();
    const deaths: string[] = [];
    for (let calls = 1; calls <= CALLS; calls += 2) {
      deaths.push(...(await Promise.all([calls, calls + 1].map((after) => dieAfter(world.regions.dir, region, after)))));
      sizes.add(world.checkpoints.size(region));
    }
    world.startSequencer(region);
    await applications.stop();
    await world.integrated([region], 30);
    const reckoning = await reckon(stage, region);
    const { published, strangers } = await publishedHistory(world.logDir(region));
    const killed = deaths.filter((signal) => signal === 'SIGKILL').length;
    say(`${killed} sequencers killed, the log was published at ${sizes.size} sizes meanwhile`);
    findings.measure('sequencersKilled', killed);
    findings.promise(
      'P8.sequencers',
      'Two sequencers at once, killed after each call that they make: no event is missing or twice, and there is one history.',
      isWhole(reckoning) && strangers.length === 0 && killed >= CALLS - 2,
      `${killed} killed; ${reckoningFigure(reckoning)}; ${published} checkpoints published, ${strangers.length} not a beginning of the last`,
    );
  });
}

/** @returns the signal that ended it, or its exit code */
function dieAfter(dir: string, region: Region, calls: number): Promise<string> {
  const script = fileURLToPath(new URL('../../audit/sequencer-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dir, region, String(calls)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGTERM',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
  });
}
