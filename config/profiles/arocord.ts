import { days, hours, minutes, seconds } from '../../functions/common/duration.ts';
import { Region } from '../../functions/common/ids.ts';
import { daily, monthly, quarterly, weekly } from '../../functions/common/schedule.ts';
import { commonAudit } from './common-audit.ts';
import { commonFailover } from './common-failover.ts';
import { commonIncidents, severitiesNamed } from './common-incidents.ts';
import type { ProfilePolicy } from './policy.ts';

/** The AROCORD-HIMS maintenance plan. Where it is silent (Regions, lag, second copies), the HMS manual fills in. */
export const arocord: ProfilePolicy = {
  operations: {
    regions: { primary: Region.parse('us-east-1'), standby: Region.parse('us-west-2'), tertiary: Region.parse('eu-west-1') },
    // The plan writes "EST" all year; the zone follows the clinic's clocks through daylight saving.
    timeZone: 'America/New_York',
    verification: {
      pointInTime: weekly('sun', '03:00'),
      secondRegion: monthly(1, 'sun', '04:00'),
      // 2.1.3 verifies daily: one day, an hour for the night the clocks go back, and the time that backup and verification take.
      maxAge: hours(30),
      restoreLimit: hours(4),
    },
    canary: { interval: seconds(5), keep: days(1) },
    vaultLock: {
      mode: 'simulate',
      minRetention: days(30),
      maxRetention: days(365),
      graceDays: 7,
      schedule: weekly('sun', '05:00'),
    },
    failover: {
      ...commonFailover,
      triggers: { criticalServicesUnhealthy: 3, regionUnreachable: true, databaseUnhealthy: true },
      // 4.3.1: critical systems 4 h, important 24 h, standard 72 h.
      objectives: { criticalServices: hours(4), database: hours(24), full: hours(72) },
      drills: { rehearsal: monthly(2, 'sun', '03:00'), fullTest: quarterly(3, 'sun', '02:30') },
    },
    // Sunday 02:00-06:00 and Wednesday 22:00-02:00 "EST".
    changeWindows: [
      { name: 'Sunday night', opens: weekly('sun', '02:00'), lasts: hours(4) },
      { name: 'Wednesday night', opens: weekly('wed', '22:00'), lasts: hours(4) },
    ],
    logRetentionDays: { application: 30, backup: 90, audit: 2557 },
    audit: commonAudit,
  },
  incidents: { ...commonIncidents, severities: severitiesNamed(['SEV-1', 'SEV-2', 'SEV-3', 'SEV-4']) },
  database: {
    // 4.3.2: patient data 15 min. 4.3.1: critical systems 4 h.
    objectives: { rpo: minutes(15), rto: hours(4) },
    // 4.1.1: full daily at 2:00, incremental every 6 hours.
    backups: { daily: daily('02:00'), 'six-hourly': daily('08:00', '14:00', '20:00') },
    // 4.1.1: 30 days for daily, 7 days for incremental, 24 hours for logs. The 90 days of copies are the HMS manual's.
    retention: {
      daily: { home: days(30), copy: days(90) },
      'six-hourly': { home: days(7), copy: days(7) },
      emergency: { home: days(30), copy: days(90) },
    },
    pointInTime: { enabled: true, window: days(1) },
    replicaLagAlarm: seconds(30),
    invariants: [],
  },
};
