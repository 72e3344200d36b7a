import type { AlarmRow, Series, Share } from '../../functions/incidents/alarms/alarm-row.ts';

export const isShare = (metric: AlarmRow['metric']): metric is Share => 'whole' in metric;

/** Every series that a metric is made of. */
export const seriesOf = (metric: AlarmRow['metric']): readonly Series[] => (isShare(metric) ? [metric.whole, ...metric.parts] : [metric]);

/** One period's value, in CloudWatch's words for statistics. Undefined for a period without a data point. @throws TypeError for one that the lab does not know */
export function statisticOf(statistic: string, values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sum = values.reduce((total, value) => total + value, 0);
  const percentile = /^p(\d{1,2}(?:\.\d+)?)$/.exec(statistic)?.[1];
  if (percentile !== undefined) {
    const ascending = [...values].sort((a, b) => a - b);
    return ascending[Math.max(0, Math.ceil((Number(percentile) / 100) * ascending.length) - 1)];
  }
  switch (statistic) {
    case 'Sum':
      return sum;
    case 'Average':
      return sum / values.length;
    case 'Minimum':
      return Math.min(...values);
    case 'Maximum':
      return Math.max(...values);
    case 'SampleCount':
      return values.length;
    default:
      throw new TypeError(`the lab does not know the statistic ${statistic}`);
  }
}
