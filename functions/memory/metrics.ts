import type { Metrics } from '../maintenance/ports.ts';

type Metric = Parameters<Metrics['put']>[0];

/** Keeps every data point, in order, for tests and for the lab's report. */
export interface RecordingMetrics extends Metrics {
  readonly recorded: readonly Metric[];
  /** The newest value of that name whose dimensions contain the given ones. */
  latest(name: string, dimensions?: Readonly<Record<string, string>>): number | undefined;
}

export function recordingMetrics(): RecordingMetrics {
  const recorded: Metric[] = [];
  return {
    recorded,
    async put(metric) {
      recorded.push({ ...metric, dimensions: { ...metric.dimensions } });
    },
    latest(name, dimensions = {}) {
      const matches = (metric: Metric) => Object.entries(dimensions).every(([key, value]) => metric.dimensions[key] === value);
      return recorded.findLast((metric) => metric.name === name && matches(metric))?.value;
    },
  };
}
