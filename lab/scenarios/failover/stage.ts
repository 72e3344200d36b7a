import type { Region } from '../../../functions/common/ids.ts';
import type { Timeline } from '../../failover/timeline.ts';
import type { FailoverWorld } from '../../failover/world.ts';
import type { Phases } from '../../phases.ts';
import type { Findings } from '../../report.ts';

/** What a part of the failover scenario works with. Each part finds a steady world and leaves one behind. */
export interface FailoverStage {
  readonly world: FailoverWorld;
  readonly phases: Phases;
  readonly findings: Findings;
  readonly timeline: Timeline;
}

export interface Quiet {
  /** Acknowledged in that time. */
  readonly writes: number;
  readonly failed: number;
  /** Longest time without an acknowledgement, seconds. */
  readonly longestPauseSeconds: number;
  /** Whether leadership stayed where it was, in the same epoch. */
  readonly stayed: boolean;
}

/** Lets `seconds` pass, or `work` be done and then the rest, and says what the writer saw of it. */
export async function watchQuietly({ world }: FailoverStage, seconds: number, work: () => Promise<void> = async () => {}): Promise<Quiet> {
  const { acknowledgements, writer, lab } = world;
  const before = { record: world.record(), failed: writer.report().failed, atMs: performance.now() };
  await work();
  await lab.clock.sleep(Math.max(0, seconds * 1000 - (performance.now() - before.atMs)));
  const endMs = performance.now();
  const times = [before.atMs, ...acknowledgements.since(before.atMs).map(({ atMs }) => atMs), endMs];
  const pauses = times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
  const after = world.record();
  return {
    writes: times.length - 2,
    failed: writer.report().failed - before.failed,
    longestPauseSeconds: Math.max(...pauses) / 1000,
    stayed: after.epoch === before.record.epoch && after.holder === before.record.holder && after.phase === 'active',
  };
}

/** `1204 writes, longest pause 0.1 s`. */
export const quietFigure = ({ writes, failed, longestPauseSeconds, stayed }: Quiet): string =>
  `${writes} writes, ${failed} failed, longest pause ${longestPauseSeconds.toFixed(1)} s, ${stayed ? 'same epoch' : 'LEADERSHIP MOVED'}`;

/** Since when that region's database has led: what it acknowledged before was judged by an earlier change. */
export function leadsSinceMs({ router, candidates, replacements }: FailoverWorld, region: Region): number {
  const turn = [...router.turns, ...replacements].filter((each) => each.region === region).sort((a, b) => b.atMs - a.atMs)[0];
  return turn?.atMs ?? (candidates[0] === region ? 0 : performance.now());
}
