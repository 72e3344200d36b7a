import { describe, expect, test } from 'vitest';
import { alarmFindings } from '../../functions/doctor/alarm-findings.ts';
import { monitoredOperations } from '../support/monitored.ts';
import { testOperations } from '../support/operations.ts';

const { incidents } = testOperations();
const paging = { ...incidents, mode: 'on' } as const;

describe('what no alarm can be held against', () => {
  test('is named: sizes of databases by site, and what the workload would have to write', () => {
    expect(alarmFindings(testOperations({ incidents: paging })).map(({ subject, says }) => `${subject}: ${says}`)).toEqual([
      expect.stringMatching(
        /^databases\[0\]\.sites\['us-east-1'\]\.limits: .*memoryGigabytes, maxConnections, storageGigabytes not given$/,
      ),
      expect.stringContaining("databases[0].sites['us-west-2'].limits"),
      expect.stringMatching(/^databases\[1\]\.sites\['us-east-1'\]\.limits: .*memoryGigabytes, maxConnections not given$/), // Aurora's storage grows
      expect.stringContaining("databases[1].sites['us-west-2'].limits"),
      'incidents.monitored: nothing can raise ErrorRateHigh, ResponseSlow, FailedLogins',
    ]);
  });

  test('is nothing where all of it is given, and nothing matters while alarms go by mail', () => {
    expect(alarmFindings(monitoredOperations({ incidents: 'on' }))).toEqual([]);
    expect(alarmFindings(testOperations({ incidents: { ...incidents, mode: 'off' } }))).toEqual([]);
  });
});
