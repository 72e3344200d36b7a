import { rmSync } from 'node:fs';
import { formatSeconds } from '../../../functions/common/duration.ts';
import type { Move } from '../../failover/move.ts';
import { restoreProtection, tryToWrite } from '../../failover/old-primary.ts';
import { approvers } from '../../failover/policy.ts';
import { keptAside } from '../../failover/rebuild.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { processesUnder } from '../../postgres/processes.ts';
import { seededRandom } from '../../seeded-random.ts';
import { answer, openQuestion } from './answers.ts';
import { loseLeader } from './lose-region.ts';
import type { FailoverStage } from './stage.ts';

/** Between the last repair and the next kill, milliseconds: somewhere in here, by the seed. */
const shortestRunMs = 300;
const longestRunMs = 3_000;

const steadySeconds = 120;

/** One kill, judged by itself. */
export interface Kill {
  readonly move: Move;
  /** What went wrong, in words; none when everything held. */
  readonly faults: readonly string[];
  /** How often a human had to accept a loss over the budget. */
  readonly accepted: number;
}

/** Everything is as it should be: written to, watched by all, nothing found. What a machine short of processor time does to itself is not a kill. */
async function isSteady(world: FailoverWorld): Promise<boolean> {
  const record = world.record();
  const last = world.acknowledgements.all.at(-1);
  if (record.phase !== 'active' || !record.fenced || !last || performance.now() - last.atMs > 500) return false;
  const votes = await world.lab.ports().coordination.votes();
  const now = world.lab.clock.now().getTime();
  const { observe } = world.lab.operations.failover;
  const well = votes.filter(
    ({ at, epoch, findings }) =>
      epoch === record.epoch &&
      now - Date.parse(at) < 2 * observe.every * 1000 &&
      findings.every(({ status, contrary }) => status !== 'unhealthy' && contrary === 0),
  );
  return well.length === world.regions.names.length;
}

/** Kills the leading region, waits for the other one, brings the dead one back as its standby. */
async function killAndRepair({ world, timeline }: Pick<FailoverStage, 'world' | 'timeline'>): Promise<Kill> {
  const answering = acceptLosses(world);
  const move = await loseLeader(world, timeline).finally(() => answering.stop());
  await world.revive(move.from);
  const tried = await tryToWrite(world, move.from, 3);
  await restoreProtection(world);
  for (const path of Object.values(keptAside(world.regions.paths(move.from), move.epoch))) rmSync(path, { recursive: true, force: true });
  const { estimate } = move;
  const roots = processesUnder(world.regions.dir).filter(({ root }) => root).length;
  const record = world.record();
  const faults = [
    ...(record.holder === move.to && record.phase === 'active' ? [] : [`${record.holder} is ${record.phase}`]),
    ...(move.double.writes === 0 ? [] : [`${move.double.writes} writes by two primaries`]),
    ...(tried.accepted === 0 ? [] : [`the old primary took ${tried.accepted} writes when it came back`]),
    ...(estimate && (estimate.atMostSeconds <= estimate.budgetSeconds || answering.accepted() > 0)
      ? []
      : ['over the budget without an approval']),
    ...(estimate && move.loss.lostSeconds <= estimate.atMostSeconds ? [] : ['more was lost than was estimated']),
    ...(roots === world.candidates.length ? [] : [`${roots} PostgreSQL servers instead of ${world.candidates.length}`]),
  ];
  return { move, faults, accepted: answering.accepted() };
}

/** A human who accepts what they are asked, so that a run of many kills does not wait for one. How often is told. */
function acceptLosses(world: FailoverWorld): { accepted(): number; stop(): void } {
  let accepted = 0;
  const look = async (): Promise<void> => {
    const question = await openQuestion(world);
    if (!question) return;
    await answer(world, question.hash, approvers.first);
    accepted++;
  };
  const timer = setInterval(() => void look().catch(() => {}), 500);
  return { accepted: () => accepted, stop: () => clearInterval(timer) };
}

/** Many kills in a row at random moments: each ends on one primary. Every write of every winner is looked for at the end. */
export const killsInARow =
  (count: number, seed: number) =>
  async (stage: FailoverStage): Promise<readonly Kill[]> => {
    const { world, phases, findings } = stage;
    const random = seededRandom(seed);
    const kills: Kill[] = [];
    await phases.run(`Kill the leading Region ${count} times in a row`, async (say) => {
      for (let number = 1; number <= count; number++) {
        await world.until('everything is well again', steadySeconds, () => isSteady(world));
        await world.lab.clock.sleep(shortestRunMs + random() * (longestRunMs - shortestRunMs));
        const kill = await killAndRepair(stage);
        kills.push(kill);
        say(killLine(number, count, kill));
      }
    });
    const faults = kills.flatMap((kill, index) => kill.faults.map((fault) => `kill ${index + 1}: ${fault}`));
    const rtos = kills.map(({ move }) => move.rtoSeconds).sort((a, b) => a - b);
    const lost = kills.reduce((sum, { move }) => sum + move.loss.lostIds.length, 0);
    const accepted = kills.reduce((sum, kill) => sum + kill.accepted, 0);
    findings.measure('kills', kills.length);
    findings.measure('killRtoMedianSeconds', rtos[Math.floor(rtos.length / 2)] ?? Number.NaN);
    findings.measure('killRtoWorstSeconds', rtos.at(-1) ?? Number.NaN);
    findings.measure('killLostTransactions', lost);
    findings.measure('killLossesAccepted', accepted);
    findings.promise(
      'P2.kills',
      'Every kill ends on one primary, within the loss budget, and leaves no process behind.',
      kills.length === count && faults.length === 0,
      faults[0] ??
        `${kills.length} of ${count}; recovery ${formatSeconds(rtos[0] ?? 0)} to ${formatSeconds(rtos.at(-1) ?? 0)}; ${lost} acknowledged transactions lost in all; ${accepted} times a human had to accept the estimate`,
    );
    return kills;
  };

function killLine(number: number, count: number, { move, faults, accepted }: Kill): string {
  const { from, to, epoch, rtoSeconds, pauseSeconds, loss, double } = move;
  const facts = [
    `kill ${String(number).padStart(2)} of ${count}: ${from} -> ${to}, epoch ${epoch}`,
    `writes again after ${rtoSeconds.toFixed(1)} s (pause ${pauseSeconds.toFixed(1)} s)`,
    `${loss.lostIds.length} of ${loss.acknowledged} lost`,
    `${double.writes} double`,
    ...(accepted > 0 ? [`${accepted} accepted by a human`] : []),
  ];
  return [facts.join(', '), ...faults.map((fault) => `FAULT: ${fault}`)].join('; ');
}

/** What a change came to, for the judgement of the whole run. */
export type Outcome = Pick<Move, 'loss' | 'double'>;

/** P1 over the whole run: what winners acknowledged is there to the end, each write under one epoch. */
export async function winnersKeepAll(
  { world, phases, findings }: FailoverStage,
  moves: readonly Outcome[],
  present: (world: FailoverWorld) => Promise<ReadonlySet<number>>,
): Promise<void> {
  await phases.run('Look for every write that a winner acknowledged', async () => {
    const lostOnPurpose = new Set(moves.flatMap(({ loss }) => loss.lostIds));
    const all = [...world.acknowledgements.all]; // before looking: writes go on meanwhile
    const there = await present(world);
    const gone = all.filter(({ id }) => !there.has(id) && !lostOnPurpose.has(id));
    const back = [...lostOnPurpose].filter((id) => there.has(id));
    const double = moves.reduce((sum, move) => sum + move.double.writes, 0);
    findings.promise(
      'P1',
      'Every acknowledged write belongs to one epoch: it outlives every later change, or it was lost with its own primary and counted there.',
      gone.length === 0 && back.length === 0 && double === 0 && all.length > 0,
      `${all.length} acknowledged, ${all.length - lostOnPurpose.size - gone.length} there, ${lostOnPurpose.size} lost with their primary, ${gone.length} gone later, ${double} in two epochs`,
    );
  });
}
