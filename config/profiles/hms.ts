import { days, hours, minutes, seconds } from '../../functions/common/duration.ts';
import { Region } from '../../functions/common/ids.ts';
import { daily, monthly, quarterly, weekly } from '../../functions/common/schedule.ts';
import { commonAudit } from './common-audit.ts';
import { commonFailover } from './common-failover.ts';
import { commonIncidents, severitiesNamed } from './common-incidents.ts';
import type { ProfilePolicy } from './policy.ts';

/**
 * The HMS operations manual. Where it is silent, the stricter number of the AROCORD plan fills in (retention of the
 * six-hourly backups and of the log); where both speak, the longer retention wins.
 */
export const hms: ProfilePolicy = {
  operations: {
    // "Multi-Region Architecture": primary, hot standby, cold standby.
    regions: { primary: Region.parse('us-east-1'), standby: Region.parse('us-west-2'), tertiary: Region.parse('eu-west-1') },
    // The manual writes "EST" all year; the zone follows the hospital's clocks through daylight saving.
    timeZone: 'America/New_York',
    verification: {
      pointInTime: weekly('sun', '04:00'),
      secondRegion: monthly(1, 'sun', '05:00'),
      // One day, an hour for the night the clocks go back, and the time that a backup and its verification take.
      maxAge: hours(30),
      restoreLimit: hours(4),
    },
    canary: { interval: seconds(5), keep: days(1) },
    vaultLock: {
      mode: 'simulate',
      minRetention: days(30),
      maxRetention: days(365),
      graceDays: 7,
      schedule: weekly('sun', '06:00'),
    },
    failover: {
      ...commonFailover,
      // "Failover triggers" of multi-region/automated-failover.yaml.
      triggers: { criticalServicesUnhealthy: 3, regionUnreachable: true, databaseUnhealthy: true },
      // "Recovery Time Objectives": critical services 5 min, database 15 min, full system 30 min.
      objectives: { criticalServices: minutes(5), database: minutes(15), full: minutes(30) },
      // "Monthly DR drills, quarterly full failover tests", inside the change window.
      drills: { rehearsal: monthly(2, 'sat', '03:00'), fullTest: quarterly(3, 'sat', '02:30') },
    },
    // Saturday 02:00-06:00 "EST".
    changeWindows: [{ name: 'Saturday night', opens: weekly('sat', '02:00'), lasts: hours(4) }],
    // "Log Retention": application logs 30 days, backup logs 90 days; audit 7 years (CloudWatch's figure for it: 2557 days).
    logRetentionDays: { application: 30, backup: 90, audit: 2557 },
    audit: commonAudit,
  },
  incidents: { ...commonIncidents, severities: severitiesNamed(['P0', 'P1', 'P2', 'P3']) },
  database: {
    // "Recovery Point Objectives": patient data 5 min. "Recovery Time Objectives": database 15 min.
    objectives: { rpo: minutes(5), rto: minutes(15) },
    // "Full backup: daily at 2 AM; incremental: every 6 hours". Local times, so that the four never fall on one another.
    backups: { daily: daily('02:00'), 'six-hourly': daily('08:00', '14:00', '20:00') },
    // "30 days locally, 90 days in S3": the other Region holds the 90 days.
    retention: {
      daily: { home: days(30), copy: days(90) },
      'six-hourly': { home: days(7), copy: days(7) },
      emergency: { home: days(30), copy: days(90) },
    },
    pointInTime: { enabled: true, window: days(1) },
    // "Replication lag > 30 s".
    replicaLagAlarm: seconds(30),
    invariants: [],
  },
};
