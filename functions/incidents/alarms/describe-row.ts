import { formatSeconds } from '../../common/duration.ts';
import type { AlarmRow, Series } from './alarm-row.ts';

const fires = { 'at-or-above': 'at least', above: 'more than', below: 'less than' } as const;
const silences = {
  breaching: 'rings',
  notBreaching: 'is well',
  ignore: 'changes nothing',
  missing: 'is not known',
} as const;

const seriesWords = ({ namespace, name, statistic }: Series): string => `${statistic} of ${namespace} ${name}`;

/** What a row is held against: `Maximum of AWS/RDS CPUUtilization`. */
export const describeMetric = ({ metric }: Pick<AlarmRow, 'metric'>): string =>
  'parts' in metric
    ? `per cent of ${metric.parts.map(({ name }) => name).join(' + ')} in ${metric.whole.namespace} ${metric.whole.name}`
    : seriesWords(metric);

/** When a row rings: `more than 80 for 5 min`, `more than 2 in 3 of 5 x 1 min`. */
export function describeRule(row: AlarmRow): string {
  const { periods, datapointsToAlarm, periodSeconds, threshold } = row;
  const over =
    periods === datapointsToAlarm
      ? `${periods === 1 ? 'within' : 'for'} ${formatSeconds(periods * periodSeconds)}`
      : `in ${datapointsToAlarm} of ${periods} x ${formatSeconds(periodSeconds)}`;
  return `${fires[row.fires]} ${threshold} ${over}`;
}

/** What silence means to a row. */
export const describeSilence = ({ missingData }: Pick<AlarmRow, 'missingData'>): string => silences[missingData];
