import { z } from 'zod';
import { minutes } from '../../../functions/common/duration.ts';
import { FailbackRecord } from '../../../functions/failover/failback/models.ts';
import { failbackExecution, requestFailback } from '../../../functions/failover/failback/request-failback.ts';
import { type Move, measureMove } from '../../failover/move.ts';
import { approvers } from '../../failover/policy.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import { type FailoverStage, leadsSinceMs } from './stage.ts';

/** The part of a failback's report that is judged here. */
const Report = FailbackRecord.pick({ request: true, lostRows: true, lost: true, kept: true, proven: true }).extend({
  complete: z.boolean(),
});
type Report = z.output<typeof Report>;

const failbackLimit = minutes(3);
const journalTable = 'lab.journal';

/**
 * F8: the writes that only the old primary has are found, listed and kept; then it is rebuilt, proven equal, and leads again without a loss.
 * @param lost the change that it lost the lead by
 */
export async function failBack({ world, phases, findings }: FailoverStage, lost: Move): Promise<Move> {
  return phases.run('Fail back', async (say) => {
    const { leader: from, other: to } = world.sides();
    const { lab } = world;
    lab.watchState = say;
    const { executions, coordination } = lab.ports(from);
    const requested = requestFailback({
      ...{ operations: lab.operations, record: await coordination.read(), now: lab.clock.now(), handOver: true },
      ...{ requestedBy: approvers.second, reason: 'the lost Region is back' },
    });
    if (requested.kind === 'refused') throw new TypeError(requested.because);
    const ref = failbackExecution(requested.request);
    const sinceMs = leadsSinceMs(world, from);
    const started = { from, to, startedMs: performance.now(), startedAt: new Date(), sinceMs };
    await executions.start({ ...ref, input: { request: requested.request } });
    await world.until('the failback has ended', failbackLimit, () => !lab.isExecuting());
    const record = await reportOf(world, requested.request.failbackId);
    const move = await measureMove(world, started);

    const found = new Set(await exportedIds(world, record));
    const missed = lost.loss.lostIds.filter((id) => !found.has(id));
    findings.promise(
      'F8.lost-writes',
      'Every acknowledged write that only the old primary had is found, listed and kept, encrypted.',
      missed.length === 0 && found.size >= lost.loss.lostIds.length && record.kept.length > 0,
      `${lost.loss.lostIds.length} acknowledged and lost, ${missed.length} not found; ${record.lostRows} rows of ${record.lost.length} tables listed, ${record.kept.length} backup of the old primary kept`,
    );
    const checks = record.proven.flatMap((proven) => proven.checks);
    findings.measure('failbackSeconds', (performance.now() - started.startedMs) / 1000);
    findings.measure('failbackPauseSeconds', move.pauseSeconds);
    findings.promise(
      'F8',
      'The old Region is rebuilt, proven equal by fingerprint, and leads again; nothing is lost.',
      record.complete &&
        move.loss.lostIds.length === 0 &&
        move.double.writes === 0 &&
        checks.length > 0 &&
        checks.every(({ result }) => result !== 'failed'),
      `${checks.filter(({ result }) => result === 'passed').length} checks passed; ${move.loss.lostIds.length} of ${move.loss.acknowledged} acknowledged transactions lost; no writes for ${move.pauseSeconds.toFixed(1)} s`,
    );
    return move;
  });
}

async function reportOf(world: FailoverWorld, failbackId: string): Promise<Report> {
  for (const region of world.candidates) {
    const { reports } = world.lab.ports(region);
    const key = (await reports.list(region, 'failbacks/')).find((each) => each.includes(failbackId) && each.endsWith('.json'));
    const body = key && (await reports.get(region, key));
    if (body) return Report.loose().parse(JSON.parse(Buffer.from(body).toString()));
  }
  throw new TypeError(`the failback ${failbackId} left no report`);
}

const JournalLine = z.object({ row: z.object({ id: z.coerce.number() }) });

/** Ids of the journal's rows in the export: transactions that only the old primary had. */
async function exportedIds(world: FailoverWorld, { request, lost }: Report): Promise<readonly number[]> {
  const { reports } = world.lab.ports(request.leader);
  const objects = lost.filter(({ table }) => table === journalTable).flatMap((table) => table.objects);
  const texts = await Promise.all(objects.map(async (key) => Buffer.from((await reports.get(request.leader, key)) ?? []).toString()));
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map((line) => JournalLine.parse(JSON.parse(line)).row.id);
}
