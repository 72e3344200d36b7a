import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import hms from '../../config/examples/hms.ts';
import { longestBackupGapSeconds, objectiveShortfalls, protectionsAgainst } from '../../functions/backup/recovery-objective.ts';
import { days, hours, minutes, seconds } from '../../functions/common/duration.ts';
import type { Database } from '../../functions/common/operations.ts';
import { daily, every } from '../../functions/common/schedule.ts';

const zone = 'America/New_York';
const [example] = hms.databases;
if (!example) throw new Error('the example has a database');
const database = (change: Partial<Database> = {}): Database => ({ ...example, ...change });
const noLog = { enabled: false, window: days(1) };
const lossBy = (fault: 'database-loss' | 'region-loss', means: string, change: Partial<Database> = {}) =>
  protectionsAgainst(fault, database(change), zone).find((each) => each.means === means)?.worstLossSeconds;

describe('worst loss', () => {
  test('after a destroyed database is that of the log, of which RDS stores five minutes at a time', () => {
    expect(lossBy('database-loss', 'transaction log')).toBe(minutes(5));
    expect(lossBy('database-loss', 'transaction log', { pointInTime: noLog })).toBeUndefined();
  });

  test('a replica does not help a destroyed database: it repeats the mistake', () => {
    expect(lossBy('database-loss', 'replica')).toBeUndefined();
    expect(lossBy('region-loss', 'replica')).toBe(30 + 180);
  });

  test('the log does not help a lost Region: it is lost with it', () => {
    expect(lossBy('region-loss', 'transaction log')).toBeUndefined();
    expect(lossBy('region-loss', 'snapshots')).toBeUndefined();
  });

  test('by snapshots counts the longest night and the time until one can be used', () => {
    expect(lossBy('database-loss', 'snapshots', { backups: { daily: daily('02:00') } })).toBe(hours(25) + minutes(20));
    const six = { backups: { daily: daily('02:00'), 'six-hourly': every(hours(6)) } };
    expect(lossBy('database-loss', 'snapshots', six)).toBe(hours(6) + minutes(20));
    expect(lossBy('region-loss', 'snapshot copies', six)).toBe(hours(6) + minutes(80));
  });

  test('without copies and without a replica nothing survives the Region', () => {
    const [shortfall] = objectiveShortfalls(database({ copyTo: [], replica: undefined }), zone);
    expect(shortfall).toMatchObject({ fault: 'region-loss' });
    expect(shortfall?.arithmetic).toContain('nothing survives it; the RPO is 5 min');
  });
});

describe('objectives', () => {
  test('that are met bring no shortfall; one second less does', () => {
    const log = (rpo: number) =>
      objectiveShortfalls(database({ objectives: { rpo: seconds(rpo), rto: minutes(15), regionLossRpo: minutes(5) } }), zone);
    expect(log(300)).toEqual([]);
    expect(log(299).map(({ fault }) => fault)).toEqual(['database-loss']);
  });

  test('of a lost Region may be wider than of a lost database', () => {
    const alone = { replica: undefined, objectives: { rpo: minutes(5), rto: minutes(15) } };
    expect(objectiveShortfalls(database(alone), zone).map(({ fault }) => fault)).toEqual(['region-loss']);
    const wider = { ...alone, objectives: { ...alone.objectives, regionLossRpo: hours(9) } };
    expect(objectiveShortfalls(database(wider), zone)).toEqual([]);
  });

  test('the sum is spelled out with what to change', () => {
    const [shortfall] = objectiveShortfalls(
      database({ backups: { daily: daily('02:00'), 'six-hourly': every(hours(6)) }, pointInTime: noLog }),
      zone,
    );
    expect(shortfall?.arithmetic).toBe(
      'after corruption or deletion of the database (which a replica repeats), by snapshots: daily 02:00 and every 6 h leave at most 6 h ' +
        'between backups; + 20 min to complete = 6 h 20 min; the RPO is 5 min',
    );
    expect(shortfall?.change).toBe(
      'Turn pointInTime on (enabled: true), back up more often, or raise objectives.rpo to at least 6 h 20 min.',
    );
  });

  test('are refused exactly when every way loses more: raising the objective to the named sum is accepted', () => {
    const anyDatabase = fc.record({
      rpo: fc.integer({ min: 1, max: 200_000 }),
      log: fc.boolean(),
      lagAlarm: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined }),
      copies: fc.boolean(),
      interval: fc.constantFrom(1, 2, 3, 6, 12, 24),
    });
    fc.assert(
      fc.property(anyDatabase, ({ rpo, log, lagAlarm, copies, interval }) => {
        const subject = database({
          objectives: { rpo: seconds(rpo), rto: minutes(15) },
          backups: { daily: every(hours(interval)) },
          pointInTime: { enabled: log, window: days(1) },
          replica: lagAlarm === undefined || !example.replica ? undefined : { ...example.replica, lagAlarm: seconds(lagAlarm) },
          copyTo: copies ? example.copyTo : [],
        });
        const refused = objectiveShortfalls(subject, zone).map(({ fault }) => fault);
        for (const fault of ['database-loss', 'region-loss'] as const) {
          const best = Math.min(...protectionsAgainst(fault, subject, zone).map((way) => way.worstLossSeconds));
          expect(refused.includes(fault)).toBe(best > rpo);
          if (!Number.isFinite(best)) continue;
          const raised = { ...subject, objectives: { ...subject.objectives, rpo: seconds(best) } };
          expect(objectiveShortfalls(raised, zone).map((each) => each.fault)).not.toContain(fault);
        }
      }),
    );
  });

  test('more backups never lose more', () => {
    const intervals = [24, 12, 8, 6, 4, 3, 2, 1];
    const gaps = intervals.map((count) =>
      longestBackupGapSeconds({ backups: { daily: daily('02:00'), 'six-hourly': every(hours(count)) } }, zone),
    );
    expect(gaps).toEqual([...gaps].sort((a, b) => b - a));
  });
});
