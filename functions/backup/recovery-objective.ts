import { formatSeconds, minutes } from '../common/duration.ts';
import type { Database } from '../common/operations.ts';
import { describeSchedule, longestGapSeconds, type Schedule } from '../common/schedule.ts';

/**
 * `database-loss`: the data is destroyed where it lives: corruption, a wrong DELETE, a dropped table or instance. A replica
 *                  does not help, because it repeats the mistake within seconds.
 * `region-loss`:   everything in the primary Region is out of reach, log and home backups included.
 */
export const faults = ['database-loss', 'region-loss'] as const;
export type Fault = (typeof faults)[number];

/** One way to get data back after a fault, and what is lost at worst by going that way. */
export interface Protection {
  readonly fault: Fault;
  readonly means: 'transaction log' | 'snapshots' | 'replica' | 'snapshot copies';
  readonly worstLossSeconds: number;
  /** The sum in words: `daily 02:00 leaves at most 25 h between backups; + 20 min to complete = 25 h 20 min`. */
  readonly arithmetic: string;
}

/**
 * "RDS uploads transaction logs for DB instances to Amazon S3 every five minutes": Amazon RDS User Guide, "Restoring a DB
 * instance to a specified time for Amazon RDS". For Aurora the latest restorable time is "typically within 5 minutes of the
 * current time" (Aurora User Guide, "Restoring a DB cluster to a specified time"). It is what AWS says of normal operation, no
 * guarantee: `check-log-freshness` measures it every 15 min.
 */
const logUploadSeconds = minutes(5);

/** Until a snapshot can be restored: our assumption for incremental snapshots; `codeblue status` shows the measured times. */
export const snapshotCompletesSeconds = minutes(20);

/** Until a copy in another Region can be restored, after the snapshot completed: our assumption for an incremental copy. */
const copyCompletesSeconds = minutes(60);

/** From crossing the lag threshold until the alarm is raised: three data points of RDS's one-minute ReplicaLag metric. */
const lagDetectionSeconds = minutes(3);

/**
 * A fixed day to count schedules from, so that a config which is accepted today is accepted tomorrow. Two changes to and
 * two from daylight saving time follow within the 400 days that are counted in every zone that has them.
 */
const countedFrom = new Date('2026-01-01T00:00:00Z');

export const backupSchedules = (database: Pick<Database, 'backups'>): readonly Schedule[] =>
  [database.backups.daily, database.backups['six-hourly']].filter((schedule) => schedule !== undefined);

/** Gaps already counted: walking a year of local times costs tens of milliseconds, and several rules ask for the same one. */
const countedGaps = new Map<string, number>();

/** Longest wait between two backups of a database, in seconds; the night the clocks go back is counted. */
export function longestBackupGapSeconds(database: Pick<Database, 'backups'>, timeZone: string): number {
  const schedules = backupSchedules(database);
  const key = JSON.stringify([schedules, timeZone]);
  const gap = countedGaps.get(key) ?? longestGapSeconds(schedules, timeZone, countedFrom);
  countedGaps.set(key, gap);
  return gap;
}

type Protected = Pick<Database, 'backups' | 'copyTo' | 'engine' | 'pointInTime' | 'replica'>;

/** Every way that the config keeps open after a fault. None means that everything would be lost. */
export function protectionsAgainst(fault: Fault, database: Protected, timeZone: string): readonly Protection[] {
  const gap = longestBackupGapSeconds(database, timeZone);
  const names = backupSchedules(database).map(describeSchedule);
  const between = `${names.join(' and ')} ${names.length > 1 ? 'leave' : 'leaves'} at most ${formatSeconds(gap)} between backups`;
  const protections: Protection[] = [];
  const add = (means: Protection['means'], worstLossSeconds: number, arithmetic: string) =>
    protections.push({ fault, means, worstLossSeconds, arithmetic });

  if (fault === 'database-loss') {
    if (database.pointInTime.enabled) {
      const store = database.engine === 'aurora-postgres' ? 'Aurora keeps the log restorable to within' : 'RDS stores the log every';
      add('transaction log', logUploadSeconds, `${store} ${formatSeconds(logUploadSeconds)}`);
    }
    const worst = gap + snapshotCompletesSeconds;
    add('snapshots', worst, `${between}; + ${formatSeconds(snapshotCompletesSeconds)} to complete = ${formatSeconds(worst)}`);
  } else {
    if (database.replica) {
      const { lagAlarm } = database.replica;
      const worst = lagAlarm + lagDetectionSeconds;
      const sum = `the replica is alarmed at ${formatSeconds(lagAlarm)} of lag; + ${formatSeconds(lagDetectionSeconds)} until the alarm is raised`;
      add('replica', worst, `${sum} = ${formatSeconds(worst)}`);
    }
    if (database.copyTo.length > 0) {
      const worst = gap + snapshotCompletesSeconds + copyCompletesSeconds;
      const steps = `+ ${formatSeconds(snapshotCompletesSeconds)} to complete + ${formatSeconds(copyCompletesSeconds)} to copy`;
      add('snapshot copies', worst, `${between}; ${steps} = ${formatSeconds(worst)}`);
    }
  }
  return protections;
}

/** An objective that the config cannot meet. */
export interface Shortfall {
  readonly fault: Fault;
  readonly objectiveSeconds: number;
  /** Every way there is, with its sum, and the objective it is compared with. */
  readonly arithmetic: string;
  /** What to change, as a sentence. */
  readonly change: string;
}

/** The RPO that counts for a fault, in seconds. */
export const objectiveFor = (fault: Fault, { rpo, regionLossRpo }: Database['objectives']): number =>
  fault === 'region-loss' ? (regionLossRpo ?? rpo) : rpo;

const faultNames: Readonly<Record<Fault, string>> = {
  'database-loss': 'corruption or deletion of the database (which a replica repeats)',
  'region-loss': 'loss of the primary Region',
};

/**
 * The objectives that cannot be met however well everything runs: the least of the worst losses is still above the RPO.
 *
 * Worked example: daily 02:00 and 08:00, 14:00, 20:00 in New York, no log: 7 h in the night the clocks go back + 20 min to
 * complete = 7 h 20 min of loss at worst; an RPO of 5 min is refused, one of 8 h is accepted.
 */
export function objectiveShortfalls(database: Protected & Pick<Database, 'objectives'>, timeZone: string): readonly Shortfall[] {
  return faults.flatMap((fault) => {
    const objectiveSeconds = objectiveFor(fault, database.objectives);
    const ways = protectionsAgainst(fault, database, timeZone);
    if (ways.some((way) => way.worstLossSeconds <= objectiveSeconds)) return [];
    const sums = ways.length === 0 ? 'nothing survives it' : ways.map((way) => `by ${way.means}: ${way.arithmetic}`).join('. ');
    const arithmetic = `after ${faultNames[fault]}, ${sums}; the RPO is ${formatSeconds(objectiveSeconds)}`;
    return [{ fault, objectiveSeconds, arithmetic, change: changeFor(fault, database, ways) }];
  });
}

function changeFor(fault: Fault, database: Protected, ways: readonly Protection[]): string {
  const best = Math.min(...ways.map((way) => way.worstLossSeconds));
  const raise = Number.isFinite(best)
    ? `, or raise ${fault === 'region-loss' ? 'objectives.regionLossRpo' : 'objectives.rpo'} to at least ${formatSeconds(best)}`
    : '';
  if (fault === 'database-loss') {
    const first = database.pointInTime.enabled ? 'Back up more often' : 'Turn pointInTime on (enabled: true), back up more often';
    return `${first}${raise}.`;
  }
  const first = database.replica ? 'Lower replica.lagAlarm' : 'Add a replica in another Region';
  return `${first}${database.copyTo.length > 0 ? '' : ', name a Region in copyTo'}${raise}.`;
}
