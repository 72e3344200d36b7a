import { secondsBetween } from '../common/duration.ts';
import type { SignedProof } from './proof.ts';

/** One measured restore. */
export interface RestoreSample {
  readonly at: Date;
  readonly restoreSeconds: number;
  readonly sizeBytes?: number;
}

/** y = intercept + slope * x, by least squares, with the standard deviation of what it leaves over. */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
  readonly spread: number;
}

/** The measured restores among proofs, refused ones included: the time is true although the content was not. Oldest first. */
export function restoreSamples(proofs: readonly Pick<SignedProof, 'proof'>[]): readonly RestoreSample[] {
  return proofs
    .flatMap(({ proof: { measured, finishedAt } }) => {
      const { restoreSeconds, sizeBytes } = measured;
      return restoreSeconds === undefined ? [] : [{ at: new Date(finishedAt), restoreSeconds, sizeBytes }];
    })
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** Undefined when the x are fewer than two different ones: no slope can be told from them. */
export function leastSquares(points: readonly (readonly [x: number, y: number])[]): Line | undefined {
  if (new Set(points.map(([x]) => x)).size < 2) return undefined;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  // Around the means: sizes of 10^12 and times of 10^9 would lose their differences to rounding otherwise.
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const slope = mean(points.map(([x, y]) => (x - meanX) * (y - meanY))) / mean(points.map(([x]) => (x - meanX) ** 2));
  const spread = Math.sqrt(mean(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2)));
  return { intercept: meanY - slope * meanX, slope, spread };
}

const gigabyte = 1024 ** 3;
const daySeconds = 86_400;
const leastSpanMilliseconds = 7 * daySeconds * 1000;
const sized = (samples: readonly RestoreSample[]) =>
  samples.flatMap(({ sizeBytes, restoreSeconds }) => (sizeBytes === undefined ? [] : [[sizeBytes / gigabyte, restoreSeconds] as const]));

/** How restore time moves, from measured restores alone. */
export interface RestoreTrend {
  /** How many restores it rests on; said wherever the trend is shown. */
  readonly samples: number;
  readonly latestSeconds: number;
  readonly medianSeconds: number;
  /** Seconds that each further GiB costs; absent while all samples are of one size. */
  readonly secondsPerGigabyte?: number;
  /** Seconds by which restores get slower each day (negative: faster); absent while the samples span less than a week. */
  readonly secondsPerDay?: number;
  /** Days until the line over time reaches the objective; absent when it does not rise or is further than two years away. */
  readonly daysUntilObjective?: number;
}

/** @returns undefined without samples */
export function restoreTrend(samples: readonly RestoreSample[], objectiveSeconds: number, now: Date): RestoreTrend | undefined {
  const ordered = [...samples].sort((a, b) => a.at.getTime() - b.at.getTime());
  const latest = ordered.at(-1);
  if (!latest) return undefined;
  const bySize = leastSquares(sized(ordered));
  // The scatter of restores of one afternoon, drawn out over a day, would be a trend of hours.
  const spansEnough = latest.at.getTime() - (ordered[0]?.at ?? latest.at).getTime() >= leastSpanMilliseconds;
  const overTime = !spansEnough
    ? undefined
    : leastSquares(ordered.map(({ at, restoreSeconds }) => [secondsBetween(now, at) / daySeconds, restoreSeconds]));
  const days = overTime && overTime.slope > 0 ? (objectiveSeconds - overTime.intercept) / overTime.slope : undefined;
  return {
    samples: ordered.length,
    latestSeconds: latest.restoreSeconds,
    medianSeconds: median(ordered.map((sample) => sample.restoreSeconds)),
    secondsPerGigabyte: bySize?.slope,
    secondsPerDay: overTime?.slope,
    daysUntilObjective: days === undefined || days > 730 ? undefined : Math.max(0, days),
  };
}

export interface Forecast {
  readonly expectedSeconds: number;
  /** Two standard deviations of the samples around the forecast: about one restore in twenty falls outside. Absent below five samples. */
  readonly withinSeconds?: number;
  readonly samples: number;
  /** `size`: by the line over size. `median`: all samples are of one size, or none is known. */
  readonly basis: 'size' | 'median';
}

/**
 * How long a restore of `sizeBytes` is expected to take. A line that falls with size is noise (nothing restores faster for
 * being bigger), so the median speaks then.
 *
 * @returns undefined without samples: nothing is invented
 */
export function forecastRestore(samples: readonly RestoreSample[], sizeBytes: number | undefined): Forecast | undefined {
  if (samples.length === 0) return undefined;
  const line = sizeBytes === undefined ? undefined : leastSquares(sized(samples));
  if (line && line.slope >= 0 && sizeBytes !== undefined) {
    const expectedSeconds = Math.max(0, line.intercept + (line.slope * sizeBytes) / gigabyte);
    return { expectedSeconds, withinSeconds: within(line.spread, sized(samples).length), samples: sized(samples).length, basis: 'size' };
  }
  const times = samples.map((sample) => sample.restoreSeconds);
  const middle = median(times);
  const spread = Math.sqrt(times.reduce((sum, time) => sum + (time - middle) ** 2, 0) / times.length);
  return { expectedSeconds: middle, withinSeconds: within(spread, samples.length), samples: samples.length, basis: 'median' };
}

/** Fewer samples than this say where restores are, and nothing of how they scatter or move. */
export const enoughForTrend = 5;

const within = (spread: number, samples: number): number | undefined => (samples < enoughForTrend ? undefined : 2 * spread);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}
