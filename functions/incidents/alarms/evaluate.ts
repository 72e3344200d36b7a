/** What CloudWatch makes of periods without a data point (`TreatMissingData`). */
export type MissingData = 'breaching' | 'notBreaching' | 'ignore' | 'missing';

export type AlarmState = 'ok' | 'alarm' | 'insufficient-data';

/** When data points make an alarm: `datapointsToAlarm` (M) of the newest `periods` (N) past the threshold. */
export interface AlarmRule {
  readonly fires: 'at-or-above' | 'above' | 'below';
  readonly threshold: number;
  readonly periods: number;
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
}

/** Whether one value is past the threshold. */
export function isPast({ fires, threshold }: Pick<AlarmRule, 'fires' | 'threshold'>, value: number): boolean {
  if (fires === 'below') return value < threshold;
  return fires === 'above' ? value > threshold : value >= threshold;
}

/**
 * The state that CloudWatch gives an alarm, by its documentation ("Evaluating an alarm", "Configuring how CloudWatch alarms treat missing data"):
 * - It looks at more periods than N, the evaluation range. While there are N data points in it, the newest N decide, and nothing is missing.
 * - With fewer, all that there are count, and only what lacks to N is filled by the rule on missing data.
 * - An empty range under `missing` is `insufficient-data`; under `ignore` nothing changes.
 * - Under `missing`, where every data point that there is lies past the threshold, the oldest of them within the newest N must be as old as M periods: a young one may yet
 *   be followed by others, and the state stays as it is.
 *
 * @param points of the evaluation range, a period each, oldest first; undefined where there is none. CloudWatch takes a few more than N.
 * @param current the state before
 */
export function evaluate(rule: AlarmRule, points: readonly (number | undefined)[], current: AlarmState): AlarmState {
  const { periods, datapointsToAlarm, missingData } = rule;
  const past = points.flatMap((point) => (point === undefined ? [] : [isPast(rule, point)])).slice(-periods);
  const breaching = past.filter(Boolean).length;
  const lacking = periods - past.length;
  if (breaching >= datapointsToAlarm) return 'alarm';
  if (lacking === 0 || missingData === 'notBreaching') return 'ok';
  if (missingData === 'breaching') return breaching + lacking >= datapointsToAlarm ? 'alarm' : 'ok';
  if (breaching < past.length) return 'ok'; // one is well: what is missing changes nothing
  if (missingData === 'ignore') return current;
  if (past.length === 0) return 'insufficient-data';
  const newest = points.slice(-periods);
  const age = newest.length - newest.findIndex((point) => point !== undefined);
  return newest.some((point) => point !== undefined) && age >= datapointsToAlarm ? 'alarm' : current;
}
