import { formatSeconds } from '../../../functions/common/duration.ts';
import { failoverExecution } from '../../../functions/failover/leadership/execution-name.ts';
import { planFailover } from '../../../functions/failover/leadership/plan.ts';
import { type Move, measureMove } from '../../failover/move.ts';
import { approvers } from '../../failover/policy.ts';
import { type FailoverStage, leadsSinceMs } from './stage.ts';

/** A planned change while both Regions are well: nothing is lost. */
export async function switchOver(stage: FailoverStage, id = 'switchover'): Promise<Move> {
  const { world, phases, findings, timeline } = stage;
  const { leader: from, other: to } = world.sides();
  return phases.run('Hand the lead over as planned', async (say) => {
    const { operations, clock } = world.lab;
    const ports = world.lab.ports(to);
    const planned = planFailover({
      ...{ operations, record: await ports.coordination.read(), kind: 'switchover', to, now: clock.now(), needsApproval: false },
      requestedBy: approvers.second,
      reason: 'a planned change in the lab',
    });
    if (planned.kind === 'refused') throw new TypeError(`the change was refused: ${planned.because}`);
    const sinceMs = leadsSinceMs(world, from);
    const startedAt = new Date();
    const startedMs = performance.now();
    timeline.note(`${approvers.second} asks for ${to}`, startedMs);
    await ports.executions.start({ ...failoverExecution(planned.plan), input: { plan: planned.plan } });
    const move = await measureMove(world, { from, to, startedMs, startedAt, sinceMs });
    for (const line of timeline.lines(startedMs)) say(line);
    if (id === 'switchover') {
      findings.measure('switchoverSeconds', move.rtoSeconds);
      findings.measure('switchoverPauseSeconds', move.pauseSeconds);
    }
    findings.promise(
      `P5.${id}`,
      'A planned change loses nothing.',
      move.loss.lostIds.length === 0 && move.loss.acknowledged > 0 && move.report.fenced === 'by-receipt',
      `${move.loss.lostIds.length} of ${move.loss.acknowledged} acknowledged transactions lost; no writes for ${formatSeconds(move.pauseSeconds)}`,
    );
    findings.promise(
      `P1.${id}`,
      'No write is acknowledged by the old primary after the first one of the new.',
      move.double.writes === 0 && move.double.milliseconds < 0,
      `${move.double.writes} writes`,
    );
    return move;
  });
}
