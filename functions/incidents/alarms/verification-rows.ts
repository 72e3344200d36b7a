import { formatSeconds } from '../../common/duration.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { judgingRegions } from '../../verify/judging-regions.ts';
import { type AlarmRow, type AlarmScope, alarmRow, canLead, ownSeries } from './alarm-row.ts';

/** On what verification found, in every Region that verifies; on its age (row V8) in those that can lead. */
export function verificationRows(scope: AlarmScope): readonly AlarmRow[] {
  const { operations, region } = scope;
  const { maxAge } = operations.verification;
  if (!judgingRegions(operations).includes(region)) return [];
  return operations.databases.flatMap(({ id }) => [
    alarmRow(scope, {
      ...{ alarm: 'BackupRefused', subject: id, severity: 1, says: `A backup of ${id} was restored and did not prove itself.` },
      metric: ownSeries('verify', metricNames.verify.refused, { Database: id }, 'Maximum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 300 },
      missingData: 'notBreaching', // one data point per verification
      dashboards: ['database', 'executive'],
    }),
    ...(canLead(scope)
      ? [
          alarmRow(scope, {
            ...{ alarm: 'VerifiedRestoreTooOld', subject: id, severity: 2 },
            says: `The newest verified backup of ${id} is older than ${formatSeconds(maxAge)}.`,
            metric: ownSeries('verify', metricNames.verify.newestVerifiedAge, { Database: id }, 'Maximum'),
            ...{ fires: 'above', threshold: maxAge, periodSeconds: 900, periods: 2 },
            missingData: 'notBreaching', // only the leading Region measures; `check-verification-age` that does not run is overdue
            dashboards: ['database', 'executive'],
          }),
        ]
      : []),
  ]);
}
