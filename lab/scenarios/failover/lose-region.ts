import { formatSeconds } from '../../../functions/common/duration.ts';
import { automaticRequester } from '../../../functions/failover/leadership/plan.ts';
import { phaseSeconds } from '../../../functions/failover/report/phases.ts';
import { type Move, measureMove } from '../../failover/move.ts';
import type { Timeline } from '../../failover/timeline.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { proveBackup } from './prove-backup.ts';
import { type FailoverStage, leadsSinceMs } from './stage.ts';

/** Kills the leading region and waits until the other one leads. @throws LabUnavailable when it does not */
export async function loseLeader(world: FailoverWorld, timeline: Timeline): Promise<Move> {
  const { leader: from, other: to } = world.sides();
  const sinceMs = leadsSinceMs(world, from);
  const startedAt = new Date();
  const startedMs = world.kill(from);
  timeline.note(`${from} is lost: database, handlers, keys`, startedMs);
  return measureMove(world, { from, to, startedMs, startedAt, sinceMs });
}

/** F3, P1, P5: a region is lost, and the other one takes over by itself. */
export async function loseRegion({ world, phases, findings, timeline }: FailoverStage): Promise<Move> {
  const move = await phases.run('Lose the leading Region under load', async (say) => {
    const moved = await loseLeader(world, timeline);
    for (const line of timeline.lines(moved.startedMs)) say(line);
    return moved;
  });
  const { failover } = world.lab.operations;
  findings.measure('failoverSeconds', move.rtoSeconds);
  findings.measure('failoverPauseSeconds', move.pauseSeconds);
  findings.objective('failoverSeconds', failover.objectives.database);
  for (const [name, seconds] of phaseSeconds(move.report.phases)) findings.measure(`failover${capital(name)}Seconds`, seconds);
  const { reason, requestedBy } = move.report.plan;
  const witnesses = world.regions.names.filter((name) => name !== move.from);
  findings.promise(
    'F2',
    'The loss is noticed by a majority of the observers, which says why.',
    requestedBy === automaticRequester && witnesses.every((name) => reason.includes(`${name} `)),
    reason,
  );
  findings.promise(
    'F3',
    'The failover runs from the loss to the first write in the other Region without anybody.',
    world.record().phase === 'active' && world.record().holder === move.to,
    `${formatSeconds(move.rtoSeconds)} as the writer saw it: ${phaseFigure(move)}`,
  );
  judgeMove({ world, phases, findings, timeline }, move, 'kill');
  return move;
}

const capital = (name: string): string => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;

const phaseFigure = ({ report }: Move): string =>
  [...phaseSeconds(report.phases)]
    .filter(([name]) => name !== 'traffic')
    .map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`)
    .join(', ');

/** P1 and P5 of one change of leadership. */
export function judgeMove(
  { findings }: FailoverStage,
  move: Move,
  id: string,
  allowed: 'within the budget' | 'within the budget or accepted' = 'within the budget',
): void {
  const { double, loss, estimate, canaryLossSeconds } = move;
  findings.promise(
    `P1.${id}`,
    'No write is acknowledged by the old primary after the first one of the new.',
    double.writes === 0 && double.milliseconds < 0,
    `${double.writes} writes; ${formatSeconds(-double.milliseconds / 1000)} between the last of the one and the first of the other`,
  );
  findings.promise(
    `P5.${id}`,
    `No more is lost than was estimated before the point of no return, and that is ${allowed}.`,
    estimate !== undefined &&
      loss.lostSeconds <= estimate.atMostSeconds &&
      (estimate.atMostSeconds <= estimate.budgetSeconds || allowed !== 'within the budget'),
    `${loss.lostIds.length} of ${loss.acknowledged} acknowledged transactions lost, ${formatSeconds(loss.lostSeconds)} of them; newest canary was ${formatSeconds(canaryLossSeconds)} old; estimated at most ${formatSeconds(estimate?.atMostSeconds ?? Number.NaN)} of ${formatSeconds(estimate?.budgetSeconds ?? 0)}`,
  );
}

/** Backups go on in the Region that leads now: taken there, restored there, judged there. */
export async function backUpThere({ world, phases, findings }: FailoverStage): Promise<void> {
  await phases.run('Back up in the Region that leads now', async () => {
    const { leader } = world.sides();
    const { id, proof } = await proveBackup(world);
    const failed = proof?.checks.filter((check) => check.result === 'failed').map((check) => `${check.id}: ${check.findings[0]}`);
    findings.promise(
      'F3.backup',
      'After a failover backups go on where the database is now.',
      proof?.outcome === 'verified' && proof.region === leader,
      failed?.join('; ') || `${id} in ${leader}: ${proof?.outcome ?? 'no proof'}`,
    );
  });
}
