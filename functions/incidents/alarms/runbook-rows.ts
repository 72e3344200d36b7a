import { metricNames } from '../../maintenance/metric-names.ts';
import { runsRunbooks } from '../runbooks/targets.ts';
import { type AlarmRow, type AlarmScope, alarmRow, ownSeries } from './alarm-row.ts';

/** On automated runbooks, where they run. */
export const runbookRows = (scope: AlarmScope): readonly AlarmRow[] =>
  runsRunbooks(scope.operations, scope.region)
    ? [
        alarmRow(scope, {
          ...{ alarm: 'RunbookFailed', subject: scope.region, severity: 2 },
          says: 'An automated runbook acted and did not help, or failed on the way.',
          metric: ownSeries('incidents', metricNames.incidents.runbooksFailed, { Region: scope.region }, 'Maximum'),
          ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 300 },
          missingData: 'notBreaching', // one data point per run
          dashboards: ['system'],
        }),
      ]
    : [];
