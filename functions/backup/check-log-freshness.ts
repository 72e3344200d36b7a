import { z } from 'zod';
import { days, minutes, secondsBetween } from '../common/duration.ts';
import type { Database } from '../common/operations.ts';
import { every } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import { metricNames } from '../maintenance/metric-names.ts';
import type { LiveDatabase } from './models.ts';

/** Told for a database that keeps no log: above every objective, so that the alarm rings. Silence would not, where another Region may lead. */
const noLog = days(365);

/**
 * Measures how far behind now the point-in-time window ends (row B1), and whether it reaches back as far as the config says. The number
 * goes to a metric; the alarm compares it with the database's RPO.
 */
export const checkLogFreshness = defineTask({
  name: 'check-log-freshness',
  summary: 'Measures the age of the newest restorable second of the transaction log, and sees whether a replica follows.',
  schedule: every(minutes(15)),
  runsIn: 'active',
  catchUp: false,
  needs: ['databases:describe'],
  input: z.strictObject({}),
  async run(_, { operations, databases, region, clock, metrics }) {
    const results = [];
    for (const database of operations.databases) {
      const live = await databases.describe(database.id, region);
      if (wantsReadReplica(database)) {
        await metrics.put({
          capability: 'backup',
          name: metricNames.backup.replicaMissing,
          value: Number(live.replicas.length === 0),
          unit: 'Count',
          dimensions: { Database: database.id },
        });
      }
      if (!database.pointInTime.enabled) continue;
      const freshness = logFreshness(database, live, clock.now());
      await metrics.put({
        capability: 'backup',
        name: metricNames.backup.logAge,
        value: freshness.ageSeconds ?? noLog,
        unit: 'Seconds',
        dimensions: { Database: database.id },
      });
      results.push({ databaseId: database.id, ...freshness });
    }
    return { databases: results };
  },
});

/** A secondary of an Aurora global database is no read replica of its primary's: the primary does not list it. */
const wantsReadReplica = ({ engine, replica }: Database): boolean => engine === 'rds-postgres' && replica !== undefined;

export interface LogFreshness {
  /** Seconds from the latest restorable second to now; undefined when nothing can be restored to a time. */
  readonly ageSeconds: number | undefined;
  /** What is wrong, in words; empty when all is well. */
  readonly findings: readonly string[];
}

/** Judges the log window of a live database against its config. */
export function logFreshness(database: Database, live: LiveDatabase, now: Date): LogFreshness {
  if (live.logRetentionDays === 0 || !live.latestRestorableAt) {
    return { ageSeconds: undefined, findings: ['point-in-time restore is off: no transaction log is kept'] };
  }
  const ageSeconds = secondsBetween(live.latestRestorableAt, now);
  const findings: string[] = [];
  if (ageSeconds > database.objectives.rpo) {
    findings.push(`the newest restorable second is ${Math.round(ageSeconds)} s old, the objective is ${database.objectives.rpo} s`);
  }
  if (live.logRetentionDays * 86_400 < database.pointInTime.window) {
    findings.push(`logs are kept ${live.logRetentionDays} d, the config wants ${database.pointInTime.window / 86_400} d`);
  }
  return { ageSeconds, findings };
}
