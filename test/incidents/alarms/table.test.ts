import { describe, expect, test } from 'vitest';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { Region } from '../../../functions/common/ids.ts';
import type { Operations } from '../../../functions/common/operations.ts';
import type { AlarmRow } from '../../../functions/incidents/alarms/alarm-row.ts';
import { tellingOf, withCauses } from '../../../functions/incidents/alarms/causes.ts';
import { evaluate, isPast } from '../../../functions/incidents/alarms/evaluate.ts';
import { alarmTable } from '../../../functions/incidents/alarms/table.ts';
import { tasks } from '../../../functions/tasks.ts';
import { monitoredOperations } from '../../support/monitored.ts';
import { testOperations } from '../../support/operations.ts';

const tableOf = (operations: Operations, region: string) => alarmTable({ operations, region: Region.parse(region), tasks });
const regionsOf = (operations: Operations) => Object.values(operations.regions);
const variants = [
  { failover: 'approve', incidents: 'off' },
  { failover: 'approve', incidents: 'on' },
  { failover: 'off', incidents: 'off' },
  { failover: 'off', incidents: 'on' },
] as const;
const rows = variants.flatMap((variant) => {
  const operations = monitoredOperations(variant);
  return regionsOf(operations).flatMap((region) =>
    tableOf(operations, region).map((row) => ({
      called: `${row.alarm}-${row.subject} in ${region}, failover ${variant.failover}, incidents ${variant.incidents}`,
      row,
    })),
  );
});

/** A value past the threshold and one that is well, both as near to it as its scale has it. */
function around({ fires, threshold }: AlarmRow): { readonly past: number; readonly well: number } {
  const near = Math.max(Math.abs(threshold) / 100, 0.001);
  if (fires === 'below') return { past: threshold - near, well: threshold };
  return fires === 'above' ? { past: threshold + near, well: threshold } : { past: threshold, well: threshold - near };
}

const filled = (count: number, value: number | undefined) => Array.from({ length: count }, () => value);

describe('every row', () => {
  test('there are some of each kind', () => {
    expect(rows.length).toBeGreaterThan(400);
  });

  test.each(rows)('$called: fires, is quiet, hears silence', ({ row }) => {
    const { past, well } = around(row);
    const range = row.periods + 2; // CloudWatch looks at a few periods more than it evaluates
    expect([isPast(row, past), isPast(row, well)]).toEqual([true, false]);

    expect(evaluate(row, filled(range, past), 'ok')).toBe('alarm');
    expect(evaluate(row, [...filled(range - row.datapointsToAlarm, well), ...filled(row.datapointsToAlarm, past)], 'ok')).toBe('alarm');
    expect(evaluate(row, [...filled(range - row.datapointsToAlarm + 1, well), ...filled(row.datapointsToAlarm - 1, past)], 'ok')).toBe(
      'ok',
    );

    expect(evaluate(row, filled(range, well), 'alarm')).toBe('ok');
    expect(evaluate(row, filled(range, undefined), 'ok')).toBe(row.missingData === 'breaching' ? 'alarm' : 'ok');
    expect(evaluate(row, filled(range, undefined), 'alarm')).toBe(row.missingData === 'breaching' ? 'alarm' : 'ok');
  });

  test('CloudWatch can look back as far as each one wants, and says how far', () => {
    for (const { row, called } of rows) {
      const limit = row.periodSeconds >= 3600 ? 7 * 86_400 : 86_400;
      expect({ called, fits: row.periodSeconds * row.periods <= limit }).toEqual({ called, fits: true });
      expect(row.periodSeconds % 60).toBe(0);
      expect(row.datapointsToAlarm).toBeLessThanOrEqual(row.periods);
      expect(row.dashboards.length).toBeGreaterThan(0);
    }
  });
});

describe('the thresholds of both manuals', () => {
  const table = tableOf(monitoredOperations(), 'us-east-1');
  const find = (alarm: string, subject: string) => table.find((row) => row.alarm === alarm && row.subject === subject);
  const gibibyte = 2 ** 30;

  test.each([
    // HMS, "Alert Manager Configuration" and "Application Performance Dashboard"
    ['service down > 5 min, by the observer', 'ServiceDown', 'patients', { fires: 'at-or-above', threshold: 1, periods: 5, severity: 1 }],
    ['service down > 5 min, by its load balancer', 'ServiceDown', 'portal', { fires: 'below', threshold: 1, periods: 5, severity: 1 }],
    ['a service that is not critical', 'ServiceDown', 'imaging', { severity: 2 }],
    ['error rate > 5 % for 5 min', 'ErrorRateHigh', 'portal', { fires: 'above', threshold: 5, periods: 5 }],
    ['error rate by metrics of its own', 'ErrorRateHigh', 'gateway', { fires: 'above', threshold: 5, periods: 5 }],
    ['response > 2 s', 'ResponseSlow', 'portal', { fires: 'above', threshold: 2 }],
    ['failed logins > 10 a minute', 'FailedLogins', 'portal', { fires: 'above', threshold: 10, periods: 1, owner: 'Compliance' }],
    // AROCORD, 3.1.2
    ['CPU > 80 % for 5 min, database', 'CpuHigh', 'hms', { fires: 'above', threshold: 80, periods: 5 }],
    ['CPU > 80 % for 5 min, service', 'CpuHigh', 'orders-api', { fires: 'above', threshold: 80, periods: 5 }],
    ['memory > 85 % for 5 min, database', 'MemoryHigh', 'hms', { fires: 'below', threshold: Math.round(0.15 * 16 * gibibyte), periods: 5 }],
    ['memory > 85 % for 5 min, service', 'MemoryHigh', 'orders-api', { fires: 'above', threshold: 85, periods: 5 }],
    ['disk > 90 % for 10 min, database', 'DiskFull', 'hms', { fires: 'below', threshold: Math.round(0.1 * 200 * gibibyte), periods: 10 }],
    ['disk > 90 % for 10 min, by an agent', 'DiskFull', 'portal', { fires: 'above', threshold: 90, periods: 10 }],
    ['latency > 100 ms on average, database', 'LatencyHigh', 'hms', { fires: 'above', threshold: 0.1 }],
    ['latency > 100 ms, in milliseconds', 'LatencyHigh', 'portal', { fires: 'above', threshold: 100 }],
    ['connections > 80 %, database', 'ConnectionsHigh', 'hms', { fires: 'above', threshold: 400 }],
    ['connections > 80 %, by a pool', 'ConnectionsHigh', 'gateway', { fires: 'above', threshold: 80 }],
  ] as const)('%s', (_, alarm, subject, expected) => {
    expect(find(alarm, subject)).toMatchObject({ ...expected, periodSeconds: 60 });
  });

  test('replication lag > 30 s, where the profile says so', () => {
    const given = testOperations();
    const operations = testOperations({
      databases: given.databases.map(
        (each) => ({ ...each, replica: { ...each.replica, lagAlarm: 30 } }) as (typeof given.databases)[number],
      ),
    });
    const standby = tableOf(operations, 'us-west-2').filter(({ alarm }) => alarm === 'ReplicaLagging');
    expect(standby.map(({ threshold, periodSeconds }) => [threshold, periodSeconds])).toEqual([
      [30, 60],
      [30_000, 60], // Aurora counts milliseconds
    ]);
  });

  test('what the config does not know the size of has no alarm on it', () => {
    const bare = tableOf(testOperations(), 'us-east-1').filter(({ subject }) => subject === 'hms');
    expect(bare.map(({ alarm }) => String(alarm))).not.toContain('DiskFull');
    expect(bare.map(({ alarm }) => String(alarm))).toContain('CpuHigh');
  });

  test('where the lead never moves, a database whose canary is silent is down, and only where it lives', () => {
    const operations = monitoredOperations({ failover: 'off' });
    const down = (region: string) => tableOf(operations, region).filter(({ alarm }) => alarm === 'DatabaseDown');
    expect(down('us-east-1').map(({ subject, missingData }) => [subject, missingData])).toEqual([
      ['hms', 'breaching'],
      ['billing', 'breaching'],
    ]);
    expect([...down('us-west-2'), ...down('eu-west-1')]).toEqual([]);
  });
});

test('a lost Region is told of by every other one, and by itself never', () => {
  const operations = monitoredOperations();
  const told = regionsOf(operations).map((region) =>
    tableOf(operations, region)
      .filter(({ alarm }) => alarm === 'RegionDown')
      .map(({ subject, region: lost }) => [subject, lost]),
  );
  const [east, west] = [
    ['us-east-1', 'us-east-1'],
    ['us-west-2', 'us-west-2'],
  ] as const;
  expect(told).toEqual([[west], [east], [east, west]]);
});

test('alarms on the pager go past the pager', () => {
  const { incidents } = monitoredOperations({ incidents: 'on' });
  expect(incidents.mode).toBe('on');
  const past = tableOf(monitoredOperations({ incidents: 'on' }), 'us-east-1').filter(({ tells }) => tells === 'topic');
  expect([...new Set(past.map(({ alarm }) => String(alarm)))].sort()).toEqual(
    [
      'IncidentUnanswered',
      'MachineFailed',
      'MachineTimedOut',
      'NobodyOnDuty',
      'PagesMissed',
      'PagingUntested',
      'SignalsDelayed',
      'TriageFailing',
    ].sort(),
  );
  expect(past.filter(({ alarm }) => alarm.startsWith('Machine')).map(({ subject }) => String(subject))).toEqual([
    'escalate-incident',
    'escalate-incident',
  ]);
});

test('a service that is called like a database is refused: two alarms would have one name', () => {
  const given = monitoredOperations();
  const capacity = given.failover.capacity.map((item) => ({ ...item, name: 'hms' }));
  const operations = { ...given, failover: { ...given.failover, capacity } };
  expect(() => tableOf(operations, 'us-east-1')).toThrow(InvalidInput);
});

describe('one cause pages once', () => {
  const tables = variants.flatMap((variant) => {
    const operations = monitoredOperations(variant);
    return regionsOf(operations).map((region) => tableOf(operations, region));
  });
  const told = (table: readonly AlarmRow[], ...ringing: string[]) => {
    const rings = (row: AlarmRow) => ringing.some((each) => `${row.alarm}-${row.subject}`.startsWith(each));
    return tellingOf(table, rings).map(({ alarm, subject }) => `${alarm}-${subject}`);
  };

  test('a lost Region, seen from the one that stands by', () => {
    const standby = tableOf(monitoredOperations(), 'us-west-2');
    expect(
      told(
        standby,
        'RegionDown-us-east-1',
        'LeaseNotRenewed',
        'GuardianLost',
        'ReplicaLagging',
        'ReplicaMissing',
        'TaskOverdue-guard-lease',
      ),
    ).toEqual(['RegionDown-us-east-1']);
  });

  test('a database that is down takes its services along, and another database does not hide what is its own', () => {
    const table = tableOf(monitoredOperations(), 'us-east-1');
    expect(
      told(table, 'DatabaseDown-hms', 'ServiceDown', 'ErrorRateHigh', 'ResponseSlow', 'LatencyHigh-hms', 'ConnectionsHigh-billing'),
    ).toEqual(['DatabaseDown-hms', 'ConnectionsHigh-billing']);
  });

  test('a cause that is less bad than what follows from it hides nothing', () => {
    const table = tableOf(monitoredOperations(), 'us-east-1').map((row) =>
      row.alarm === 'ServiceDown' ? { ...row, severity: 3 as const } : row,
    );
    expect(told(table, 'ServiceDown-portal', 'ErrorRateHigh-portal')).toEqual(['ServiceDown-portal', 'ErrorRateHigh-portal']);
  });

  test('what is still wrong when the cause is over is told then', () => {
    const table = tableOf(monitoredOperations(), 'us-east-1');
    expect(told(table, 'ServiceDown-portal', 'ErrorRateHigh-portal')).toEqual(['ServiceDown-portal']);
    expect(told(table, 'ErrorRateHigh-portal')).toEqual(['ErrorRateHigh-portal']);
  });

  test('nothing hides what is worse than itself, nothing hides itself, and whatever rings, something tells', () => {
    for (const table of tables) {
      for (const { row, causes } of withCauses(table)) {
        for (const cause of causes) expect(cause.severity).toBeLessThanOrEqual(row.severity);
        expect(causes).not.toContain(row);
        expect(tellingOf(table, (each) => each === row)).toEqual([row]);
      }
      expect(tellingOf(table, () => true).length).toBeGreaterThan(0);
    }
  });

  test('no chain of causes comes back to where it began', () => {
    for (const table of tables) {
      const above = new Map(withCauses(table).map(({ row, causes }) => [row, causes]));
      const comesBack = (row: AlarmRow, seen: readonly AlarmRow[]): boolean =>
        seen.includes(row) || (above.get(row) ?? []).some((cause) => comesBack(cause, [...seen, row]));
      expect(table.filter((row) => comesBack(row, [])).map(({ alarm }) => alarm)).toEqual([]);
    }
  });
});
