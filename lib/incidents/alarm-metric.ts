import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmRow, Series, Share } from '../../functions/incidents/alarms/alarm-row.ts';

/** A series as CloudWatch takes it. */
export const seriesMetric = ({ namespace, name, dimensions, statistic }: Series, periodSeconds: number, label?: string): Metric =>
  new Metric({
    namespace,
    metricName: name,
    dimensionsMap: dimensions,
    statistic,
    period: Duration.seconds(periodSeconds),
    ...(label ? { label } : {}),
  });

/** A part that counts nothing is not reported; a whole that is not reported makes no data point at all. */
function shareMetric({ parts, whole }: Share, periodSeconds: number, index: number): MathExpression {
  const named = parts.map((part, each) => [`part${each}of${index}`, seriesMetric(part, periodSeconds)] as const);
  const sum = named.map(([name]) => `FILL(${name}, 0)`).join(' + ');
  return new MathExpression({
    expression: `IF(whole${index} > 0, 100 * (${sum}) / whole${index}, 0)`,
    usingMetrics: { ...Object.fromEntries(named), [`whole${index}`]: seriesMetric(whole, periodSeconds) },
    period: Duration.seconds(periodSeconds),
    label: 'per cent',
  });
}

/**
 * What a row is held against.
 *
 * @param index tells the rows of one graph apart
 */
export const alarmMetric = ({ metric, periodSeconds }: AlarmRow, index = 0): MathExpression | Metric =>
  'parts' in metric ? shareMetric(metric, periodSeconds, index) : seriesMetric(metric, periodSeconds);
