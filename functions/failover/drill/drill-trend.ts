import { z } from 'zod';
import { formatSeconds } from '../../common/duration.ts';
import { leastSquares } from '../../verify/trend.ts';

/** How one measured time moves from drill to drill. */
export const DrillTrend = z.strictObject({
  /** How many drills it rests on, this one included. */
  samples: z.int().positive(),
  latestSeconds: z.number(),
  medianSeconds: z.number(),
  /** Seconds by which it gets longer each month of 30 days (negative: shorter); absent while drills span less than a month. */
  secondsPerMonth: z.number().optional(),
});
export type DrillTrend = z.output<typeof DrillTrend>;

const monthMilliseconds = 30 * 86_400_000;

/** @returns undefined without samples */
export function drillTrend(samples: readonly { readonly at: Date; readonly seconds: number }[]): DrillTrend | undefined {
  const ordered = [...samples].sort((a, b) => a.at.getTime() - b.at.getTime());
  const [first] = ordered;
  const latest = ordered.at(-1);
  if (!first || !latest) return undefined;
  const times = ordered.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const medianSeconds = times[Math.floor((times.length - 1) / 2)] ?? latest.seconds;
  const spans = latest.at.getTime() - first.at.getTime() >= monthMilliseconds;
  const line = spans ? leastSquares(ordered.map(({ at, seconds }) => [at.getTime() / monthMilliseconds, seconds] as const)) : undefined;
  return {
    ...{ samples: ordered.length, latestSeconds: latest.seconds, medianSeconds },
    ...(line ? { secondsPerMonth: line.slope } : {}),
  };
}

/** `promoted in 4 min 10 s; the median of 6 drills is 3 min 50 s, 4.2 s longer each month` */
export function trendSentence({ samples, latestSeconds, medianSeconds, secondsPerMonth }: DrillTrend): string {
  const latest = `writable after ${formatSeconds(latestSeconds)}`;
  if (samples === 1) return `${latest}; the first drill that was measured`;
  const median = `${latest}; the median of ${samples} drills is ${formatSeconds(medianSeconds)}`;
  if (secondsPerMonth === undefined) return median;
  return `${median}, ${formatSeconds(Math.abs(secondsPerMonth))} ${secondsPerMonth < 0 ? 'shorter' : 'longer'} each month`;
}
