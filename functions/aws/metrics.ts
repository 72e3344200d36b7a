import type { Metrics } from '../maintenance/ports.ts';
import type { AwsSettings } from './settings.ts';

/**
 * Metrics as lines of CloudWatch's embedded metric format. Against `PutMetricData`: no call that can be throttled or fail in
 * the middle of a task, no permission, and the data point and its log line cannot disagree. It works only where Lambda
 * collects the output; the command line passes a `writeLine` of its own.
 */
export function metricsPort({ clock, writeLine }: AwsSettings): Metrics {
  return {
    async put({ capability, name, value, unit, dimensions }) {
      const directive = {
        Namespace: `Codeblue/${capability}`,
        Dimensions: [Object.keys(dimensions)],
        Metrics: [{ Name: name, Unit: unit }],
      };
      const line = { _aws: { Timestamp: clock.now().getTime(), CloudWatchMetrics: [directive] }, ...dimensions, [name]: value };
      writeLine(JSON.stringify(line));
    },
  };
}
