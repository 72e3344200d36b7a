import { seconds } from '../../functions/common/duration.ts';
import type { Region } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { Epoch, LossEstimate } from '../../functions/failover/models.ts';
import { parseFailoverReport } from '../../functions/failover/report/failover-report.ts';
import { failoverKey } from '../../functions/failover/report/report-keys.ts';
import type { FailoverReport } from '../../functions/failover/report/report-model.ts';
import { type DoubleWriterWindow, doubleWriterWindow, type WriterLoss, writerLoss } from '../hospital/acknowledgements.ts';
import { HOSPITAL_DATABASE } from '../hospital/generate.ts';
import { readJournal } from '../hospital/journal.ts';
import type { FailoverWorld } from './world.ts';

/** Longest that any change of leadership may take in the lab before the scenario calls it stuck. */
export const moveLimit = seconds(60);

/** What one change of leadership came to, measured from outside: by the writer, and by what the databases hold. */
export interface Move {
  readonly from: Region;
  readonly to: Region;
  readonly epoch: Epoch;
  /** When the trouble was made, or the change asked for, by `performance.now()`. */
  readonly startedMs: number;
  /** From then to the first write that the new primary acknowledged. */
  readonly rtoSeconds: number;
  /** From the last acknowledgement of the old primary to the first of the new one. */
  readonly pauseSeconds: number;
  readonly double: DoubleWriterWindow;
  readonly loss: WriterLoss;
  /** Age of the newest canary that survived, at the moment of the trouble: what was lost, by canary. */
  readonly canaryLossSeconds: number;
  readonly report: FailoverReport;
  /**
   * What the failover said before its point of no return would be lost. An execution that takes over beyond that point does not know it any more: then it is
   * what a human was asked to accept, if anybody was.
   */
  readonly estimate: LossEstimate | undefined;
}

/** Waits until `to` leads, takes the writer's writes and has written its report; then measures. @throws LabUnavailable when it does not */
export async function measureMove(
  world: FailoverWorld,
  start: { readonly from: Region; readonly to: Region; readonly startedMs: number; readonly startedAt: Date; readonly sinceMs: number },
): Promise<Move> {
  const { from, to, startedMs, startedAt, sinceMs } = start;
  const { acknowledgements } = world;
  await world.until(`${to} acknowledges a write`, moveLimit, () => acknowledgements.first(to, startedMs) !== undefined);
  await world.until('every execution has ended', moveLimit, () => !world.lab.isExecuting());
  const first = acknowledgements.first(to, startedMs);
  const double = doubleWriterWindow(acknowledgements.all, from, to, startedMs);
  if (!first || !double) throw new TypeError('both regions have acknowledged writes');
  const { epoch } = world.record();
  const report = await reportOf(world, to, epoch);
  return {
    ...{ from, to, epoch, startedMs, double },
    rtoSeconds: (first.atMs - startedMs) / 1000,
    pauseSeconds: -double.milliseconds / 1000,
    loss: writerLoss(acknowledgements.all, from, await readJournal(world.regions.address(to, 'admin')), sinceMs),
    canaryLossSeconds: await canaryAgeSeconds(world, to, startedAt),
    report,
    estimate: report.losses[0] ?? (await acceptedEstimate(world, epoch)),
  };
}

async function acceptedEstimate(world: FailoverWorld, epoch: Epoch): Promise<LossEstimate | undefined> {
  const asked = await world.lab.ports(world.watcher).coordination.requests();
  const about = asked.filter(({ question }) => question.question === 'accept-loss' && question.plan.epoch === epoch);
  return about.sort((a, b) => (a.askedAt < b.askedAt ? -1 : 1)).at(-1)?.question.losses[0];
}

async function reportOf(world: FailoverWorld, region: Region, epoch: Epoch): Promise<FailoverReport> {
  const { reports } = world.lab.ports(region);
  const bytes = await reports.get(region, failoverKey(epoch, 'report.json'));
  if (!bytes) throw new TypeError(`${region} has no report of epoch ${epoch}`);
  return parseFailoverReport(bytes);
}

/** Age at `moment` of the newest canary from before it that this server has, by the clock that all servers of the lab share. */
async function canaryAgeSeconds(world: FailoverWorld, region: Region, moment: Date): Promise<number> {
  const session = await pgServer(world.regions.address(region, 'admin')).connect(HOSPITAL_DATABASE);
  try {
    const [row] = await session.query(
      'SELECT extract(epoch FROM $1::timestamptz - max(written_at))::text AS age FROM codeblue.canary WHERE written_at <= $1::timestamptz',
      [moment.toISOString()],
    );
    return Number(row?.age ?? Number.NaN);
  } finally {
    await session.close();
  }
}
