import { describe, expect, test } from 'vitest';
import hms from '../../config/examples/hms.ts';
import { hours } from '../../functions/common/duration.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { daily, every } from '../../functions/common/schedule.ts';
import { configFindings } from '../../functions/doctor/config-findings.ts';
import { skippedTimes } from '../../functions/doctor/schedule-findings.ts';
import { snapshotsHeld } from '../../functions/doctor/snapshot-demand.ts';

const now = new Date('2026-11-21T12:00:00Z');
const [database] = hms.databases;
if (!database) throw new Error('the example has a database');
const withBackups = (backups: Operations['databases'][number]['backups'], timeZone = hms.timeZone): Operations => ({
  ...hms,
  timeZone,
  databases: [{ ...database, backups }],
});
const subjects = (operations: Operations, level: string) =>
  configFindings(operations, now)
    .filter((each) => each.level === level)
    .map(({ subject }) => subject);

/** The example with everything of its own: nothing left of what is to be replaced. */
function filledIn(): Operations {
  const own = JSON.stringify(hms)
    .replaceAll('111122223333', '246813579024')
    .replaceAll('AbCdEf', 'Xy12Zw')
    .replaceAll('00000000-0000-4000', '7d3f0c1e-9a4b-4c21')
    .replaceAll(/(vpc|subnet|sg)-0{14}/g, '$1-0f3a9c81d2e4b7')
    .replaceAll('/0000000000000000', '/50dc6c495c0c9188')
    .replaceAll('hospital.example', 'st-marys.org');
  return JSON.parse(own);
}

describe('placeholders', () => {
  test('of an example are named one by one', () => {
    expect(subjects(hms, 'problem')).toEqual([
      'account',
      "databases[0].sites['us-east-1']",
      "databases[0].sites['us-west-2']",
      'failover.approvals.by',
      'failover.services',
      'failover.routing.dns',
      'incidents.monitored',
      'contacts',
    ]);
  });

  test('are gone once replaced', () => {
    expect(subjects(filledIn(), 'problem')).toEqual([]);
  });

  test('one that was forgotten is still found', () => {
    const operations = filledIn();
    const forgotten = { ...operations, contacts: { ...operations.contacts, onCall: hms.contacts.onCall } };
    expect(configFindings(forgotten, now).filter(({ level }) => level === 'problem')).toMatchObject([
      { subject: 'contacts', says: expect.stringContaining('onCall (ops@hospital.example)') },
    ]);
  });

  test('do not matter to a lab', () => {
    expect(configFindings(hms, now, { forLab: true }).filter(({ level }) => level === 'problem')).toEqual([]);
  });
});

describe('schedules', () => {
  test('a local time that the clocks skip is warned of with its day', () => {
    expect(skippedTimes(daily('02:00', '02:30'), 'America/New_York', now).map((run) => run.toISOString())).toEqual([
      '2027-03-14T07:00:00.000Z',
    ]);
    const findings = configFindings(hms, now).filter(({ subject }) => subject === 'databases[0].backups.daily');
    expect(findings).toMatchObject([
      { level: 'warning', says: expect.stringContaining('does not exist on 2027-03-14 in America/New_York') },
    ]);
  });

  test('one outside of that hour, or in a zone without such days, is not', () => {
    expect(skippedTimes(daily('03:00'), 'America/New_York', now)).toEqual([]);
    expect(skippedTimes(daily('02:00'), 'Asia/Kolkata', now)).toEqual([]);
    expect(skippedTimes(every(hours(6)), 'America/New_York', now)).toEqual([]);
  });

  test('two backups at one time are warned of, also when they only meet in summer', () => {
    // 02:00 in New York is 06:00 UTC in summer and 07:00 in winter.
    expect(subjects(withBackups({ daily: daily('02:00'), 'six-hourly': every(hours(6)) }), 'warning')).toContain('databases[0].backups');
    expect(subjects(hms, 'warning')).not.toContain('databases[0].backups');
  });
});

describe('quotas', () => {
  test('count what retention keeps: 90 days of one and 7 days of three a day', () => {
    expect(snapshotsHeld(hms, 'rds-postgres', hms.regions.standby)).toBe(90 + 21);
    expect(snapshotsHeld(hms, 'rds-postgres', hms.regions.primary)).toBe(30 + 21);
    expect(snapshotsHeld(hms, 'aurora-postgres', hms.regions.primary)).toBe(0);
  });

  test('more than AWS allows by default is warned of', () => {
    expect(subjects(hms, 'warning').filter((subject) => subject === 'retention')).toHaveLength(2);
    expect(subjects(withBackups({ daily: daily('02:00') }), 'warning')).not.toContain('retention');
  });

  test('more copies at once than RDS runs are warned of', () => {
    const many = { ...hms, databases: Array.from({ length: 21 }, () => database) };
    expect(subjects(many, 'warning')).toContain('databases');
    expect(subjects({ ...many, databases: many.databases.slice(1) }, 'warning')).not.toContain('databases');
  });
});

describe('failover', () => {
  const failingOver = (change: Partial<Operations['failover']>): Operations => ({ ...hms, failover: { ...hms.failover, ...change } });

  test('that is off beside a replica is warned of, and without one it is not', () => {
    expect(subjects(failingOver({ mode: 'off' }), 'warning')).toContain('failover.mode');
    const { replica: _, ...alone } = database;
    expect(subjects({ ...failingOver({ mode: 'off' }), databases: [alone] }, 'warning')).not.toContain('failover.mode');
  });

  test.each([
    ['failover.services', { services: [] }],
    ['failover.capacity', { capacity: [] }],
    ['failover.routing', { routing: {} }],
  ] satisfies [string, Partial<Operations['failover']>][])('that leaves something behind is warned of: %s', (subject, change) => {
    expect(subjects(hms, 'warning')).not.toContain(subject);
    expect(subjects(failingOver(change), 'warning')).toContain(subject);
  });
});

test('every warning and problem says how to mend it', () => {
  const bare: Operations = {
    ...hms,
    vaultLock: { ...hms.vaultLock, mode: 'off' },
    audit: { ...hms.audit, retention: { mode: 'governance', days: 30 } },
    failover: { ...hms.failover, services: [], capacity: [], routing: {} },
    databases: [{ ...database, copyTo: [], invariants: [], pointInTime: { ...database.pointInTime, enabled: false } }],
  };
  const findings = configFindings(bare, now).filter(({ level }) => level !== 'ok');
  expect(findings.map(({ subject }) => subject)).toEqual(
    expect.arrayContaining([
      'databases[0].pointInTime',
      'databases[0].copyTo',
      'databases[0].invariants',
      'vaultLock',
      'audit.retention.mode',
    ]),
  );
  for (const { mend } of findings) expect(mend).toMatch(/^[A-Z].*\.$/s);
});
