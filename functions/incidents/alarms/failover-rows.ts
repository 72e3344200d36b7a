import { minutes } from '../../common/duration.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type AlarmRow, type AlarmScope, alarmRow, canLead, moves, ownSeries } from './alarm-row.ts';

const names = metricNames.failover;

/** A change of leadership is over in a quarter of an hour at most, questions to people apart. */
const unfinishedTooLong = minutes(10);

/**
 * On who leads. Each Region has its own over what it sees itself, and every Region has an observer: the alarms of a Region that is lost
 * page nobody, and those of the two others do.
 */
export const failoverRows = (scope: AlarmScope): readonly AlarmRow[] =>
  moves(scope)
    ? [...lostRegionRows(scope), ...observerRows(scope), ...leadRows(scope), ...(canLead(scope) ? candidateRows(scope) : [])]
    : [];

const seriesOf =
  ({ region }: AlarmScope) =>
  (name: string, statistic: string) =>
    ownSeries('failover', name, { Region: region }, statistic);

/** Only another Region can tell, and only of one that can lead: nothing is asked of the others. */
const lostRegionRows = (scope: AlarmScope): readonly AlarmRow[] => {
  const { primary, standby } = scope.operations.regions;
  return [primary, standby]
    .filter((region) => region !== scope.region)
    .map((region) =>
      alarmRow(scope, {
        ...{ alarm: 'RegionDown', subject: region, region, severity: 1 },
        says: `${region} has not been reachable from ${scope.region} for two minutes while it leads.`,
        metric: ownSeries('failover', names.regionDown, { Region: region }, 'Minimum'),
        ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60, periods: 2 },
        missingData: 'notBreaching', // another one leads, or nothing is seen: that has an alarm of its own
        dashboards: ['system', 'executive'],
      }),
    );
};

const observerRows = (scope: AlarmScope): readonly AlarmRow[] => {
  const { region } = scope;
  const series = seriesOf(scope);
  return [
    alarmRow(scope, {
      ...{ alarm: 'ObserverSilent', subject: region, severity: 2 },
      says: `The observer in ${region} has cast no vote for two minutes: a majority needs two of the three.`,
      metric: series(names.votes, 'Sum'),
      ...{ fires: 'below', threshold: 1, periodSeconds: 60, periods: 2, missingData: 'breaching', dashboards: ['system'] },
    }),
    alarmRow(scope, {
      ...{ alarm: 'ObserverBlind', subject: region, severity: 3 },
      says: `The observer in ${region} has never seen some of what it looks at in good health: what it says of that counts for nothing.`,
      metric: series(names.blind, 'Minimum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60, periods: 10 },
      missingData: 'notBreaching', // its silence has an alarm
      dashboards: ['system'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'CoordinationUnreachable', subject: region, severity: 1 },
      says: `${region} has not been able to read who leads for two minutes.`,
      metric: series(names.coordinationUnreadable, 'Minimum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60, periods: 2, missingData: 'notBreaching', dashboards: ['system'] },
    }),
  ];
};

const leadRows = (scope: AlarmScope): readonly AlarmRow[] => {
  const { region } = scope;
  const series = seriesOf(scope);
  return [
    alarmRow(scope, {
      ...{ alarm: 'LeaseNotRenewed', subject: region, severity: 1 },
      says: `Seen from ${region}, the lease of the leading Region has been over for a minute: its databases refuse writes.`,
      metric: series(names.leaseRemaining, 'Maximum'),
      ...{ fires: 'below', threshold: 0, periodSeconds: 60 },
      missingData: 'notBreaching', // an observer that sees nothing has an alarm of its own
      dashboards: ['database'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'FailoverStuck', subject: region, severity: 1 },
      says: `Seen from ${region}, a change of leadership has been unfinished for ten minutes.`,
      metric: series(names.unfinishedSeconds, 'Maximum'),
      ...{ fires: 'at-or-above', threshold: unfinishedTooLong, periodSeconds: 60 },
      missingData: 'notBreaching',
      dashboards: ['system'],
    }),
  ];
};

const candidateRows = (scope: AlarmScope): readonly AlarmRow[] => {
  const { region } = scope;
  const series = seriesOf(scope);
  return [
    alarmRow(scope, {
      ...{ alarm: 'FailoverStarted', subject: region, severity: 1, says: `${region} has claimed the lead.` },
      metric: series(names.started, 'Sum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60 },
      missingData: 'notBreaching', // it is rare
      dashboards: ['system', 'executive'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'GuardianLost', subject: region, severity: 2 },
      says: `The guardian in ${region} has renewed nothing for two minutes: the lease hangs on the other one.`,
      metric: series(names.guarded, 'Maximum'),
      ...{ fires: 'below', threshold: 1, periodSeconds: 60, periods: 2, missingData: 'breaching', dashboards: ['system'] },
    }),
    alarmRow(scope, {
      ...{ alarm: 'FenceIncomplete', subject: region, severity: 2 },
      says: 'Application tables have been without a fence for five minutes: nothing moves without a human while that is so.',
      metric: series(names.unfencedTables, 'Maximum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60, periods: 5 },
      missingData: 'notBreaching', // told by the guardian, whose silence has an alarm
      dashboards: ['database'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'FailbackStuck', subject: region, severity: 2 },
      says: `A failback stopped: ${region} leads on, and the other Region may be no replica of it.`,
      metric: series(names.failbackStopped, 'Maximum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 300 },
      missingData: 'notBreaching', // one data point per failback
      dashboards: ['system'],
    }),
    alarmRow(scope, {
      ...{ alarm: 'SecurityBreach', subject: region, severity: 1 },
      says: `A breach was declared: the application is being shut out of the databases, ${region} first.`,
      metric: series(names.breaches, 'Sum'),
      ...{ fires: 'at-or-above', threshold: 1, periodSeconds: 60 },
      missingData: 'notBreaching', // it is rare
      dashboards: ['security', 'executive'],
    }),
  ];
};
