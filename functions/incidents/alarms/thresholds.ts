import type { Severity, workloadAlarms } from '../../common/incident-policy.ts';
import type { AlarmRow, DashboardName } from './alarm-row.ts';
import type { AlarmRule } from './evaluate.ts';

export type WorkloadAlarm = (typeof workloadAlarms)[number];

/** A threshold of the manuals, whatever it is held against. */
interface Threshold extends Pick<AlarmRule, 'fires' | 'threshold' | 'periods' | 'datapointsToAlarm' | 'missingData'> {
  readonly severity: Severity;
  /** `billing: more than 5 % of requests …`. */
  readonly says: string;
  readonly statistic: string;
  /** In what a metric of one's own comes: only times can come in milliseconds. */
  readonly unit: 'percent' | 'seconds' | 'count';
  readonly dashboards: readonly DashboardName[];
}

const minutes = (count: number, of: number = count) => ({ periods: count, datapointsToAlarm: of }) as const;
/** Every row looks at whole minutes. */
const periodSeconds = 60;

/**
 * The thresholds of both manuals: HMS "Alert Manager Configuration" and "Application Performance Dashboard", AROCORD 3.1.2. Their severities follow HMS "Incident
 * Classification" and AROCORD 3.2.1. Silence is good where a thing that is idle or elsewhere reports nothing; a service that says nothing at all is down.
 */
export const thresholds: Readonly<Record<WorkloadAlarm, Threshold>> = {
  ServiceDown: {
    ...{ severity: 1, says: 'has been down for five minutes', fires: 'at-or-above', threshold: 1, ...minutes(5), missingData: 'breaching' },
    ...{ statistic: 'Minimum', unit: 'count', dashboards: ['application', 'executive'] },
  },
  ErrorRateHigh: {
    ...{
      severity: 2,
      says: 'has answered more than 5 % of requests with errors for five minutes',
      fires: 'above',
      threshold: 5,
      ...minutes(5),
    },
    ...{ missingData: 'notBreaching', statistic: 'Average', unit: 'percent', dashboards: ['application'] },
  },
  ResponseSlow: {
    // "> 2 s response time", without a duration: three of five minutes, so that neither one slow minute pages nor one fast minute hides it.
    ...{ severity: 3, says: 'has answered more slowly than 2 s (95th percentile) in three of five minutes', fires: 'above', threshold: 2 },
    ...{ ...minutes(5, 3), missingData: 'notBreaching', statistic: 'p95', unit: 'seconds', dashboards: ['application', 'executive'] },
  },
  FailedLogins: {
    ...{ severity: 2, says: 'has had more than ten failed logins within a minute', fires: 'above', threshold: 10, ...minutes(1) },
    ...{ missingData: 'notBreaching', statistic: 'Sum', unit: 'count', dashboards: ['security'] },
  },
  CpuHigh: {
    ...{ severity: 3, says: 'has used more than 80 % of its processors for five minutes', fires: 'above', threshold: 80, ...minutes(5) },
    ...{ missingData: 'notBreaching', statistic: 'Maximum', unit: 'percent', dashboards: ['system'] },
  },
  MemoryHigh: {
    ...{ severity: 3, says: 'has used more than 85 % of its memory for five minutes', fires: 'above', threshold: 85, ...minutes(5) },
    ...{ missingData: 'notBreaching', statistic: 'Maximum', unit: 'percent', dashboards: ['system'] },
  },
  DiskFull: {
    ...{ severity: 2, says: 'has used more than 90 % of its disk for ten minutes', fires: 'above', threshold: 90, ...minutes(10) },
    ...{ missingData: 'notBreaching', statistic: 'Maximum', unit: 'percent', dashboards: ['system'] },
  },
  LatencyHigh: {
    ...{ severity: 3, says: 'has taken more than 100 ms on average for five minutes', fires: 'above', threshold: 0.1, ...minutes(5) },
    ...{ missingData: 'notBreaching', statistic: 'Average', unit: 'seconds', dashboards: ['system'] },
  },
  ConnectionsHigh: {
    ...{ severity: 2, says: 'has used more than 80 % of its connections for five minutes', fires: 'above', threshold: 80, ...minutes(5) },
    ...{ missingData: 'notBreaching', statistic: 'Maximum', unit: 'percent', dashboards: ['database'] },
  },
};

/** The part of a row that its threshold gives. */
export function thresholdOf(
  alarm: WorkloadAlarm,
  what: string,
): Pick<AlarmRow, keyof AlarmRule | 'severity' | 'says' | 'periodSeconds' | 'dashboards'> {
  const { statistic: _, unit: __, says, ...rest } = thresholds[alarm];
  return { ...rest, says: `${what} ${says}.`, periodSeconds };
}
