import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Severity } from '../../../functions/common/incident-policy.ts';
import { alarmNameOf, alarmOf, pagerAlarmNameOf, tellingPrefix, watchingNameOf } from '../../../functions/incidents/alarms/alarm-name.ts';
import { AlarmName, Subject } from '../../../functions/incidents/models.ts';

const named = fc.record({
  deployment: fc.oneof(fc.stringMatching(/^[a-z][a-z0-9-]{1,20}$/), fc.constantFrom('a-codeblue-s1', 'x-codeblue-s2-', 's1')),
  severity: fc.constantFrom(1, 2, 3, 4).map((each) => Severity.parse(each)),
  alarm: fc.stringMatching(/^[A-Z][A-Za-z0-9]{1,60}$/).map((each) => AlarmName.parse(each)),
  subject: fc
    .oneof(fc.stringMatching(/^[a-z][a-z0-9-]{0,60}$/), fc.constantFrom('hms-codeblue-state', 'codeblue-s3-x'))
    .map((each) => Subject.parse(each)),
});

describe('the name of an alarm', () => {
  test('says what it is about, severity first', () => {
    const alarm = { deployment: 'hms', severity: 1, alarm: AlarmName.parse('ServiceDown'), subject: Subject.parse('patients') } as const;
    expect(alarmNameOf(alarm)).toBe('hms-codeblue-s1-ServiceDown-patients');
  });

  test('is read back as what it was made of, whatever deployments and subjects are called', () => {
    fc.assert(
      fc.property(named, (alarm) => {
        expect(alarmOf(alarmNameOf(alarm))).toEqual(alarm);
      }),
      { numRuns: 2000 },
    );
  });

  test('two that differ have different names', () => {
    fc.assert(
      fc.property(named, named, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(alarmNameOf(one)).not.toBe(alarmNameOf(other));
      }),
    );
  });

  test('begins with the prefix of its severity, and with no other one', () => {
    fc.assert(
      fc.property(named, fc.constantFrom(1, 2, 3, 4), (alarm, severity) => {
        const prefix = tellingPrefix(alarm.deployment, Severity.parse(severity));
        expect(alarmNameOf(alarm).startsWith(prefix)).toBe(severity === alarm.severity);
      }),
    );
  });

  test('of one that only watches, or is on the pager itself, is none that incidents are opened for', () => {
    fc.assert(
      fc.property(named, fc.constantFrom(watchingNameOf, pagerAlarmNameOf), (alarm, nameOf) => {
        const name = nameOf(alarm);
        expect(alarmOf(name)).toBeUndefined();
        expect([1, 2, 3, 4].some((severity) => name.startsWith(tellingPrefix(alarm.deployment, Severity.parse(severity))))).toBe(false);
      }),
    );
  });

  test.each([
    'hms-codeblue-s5-ServiceDown-x',
    'hms-codeblue-s1-serviceDown-x',
    'hms-codeblue-s1-ServiceDown-',
    'hms-codeblue-s1-ServiceDown-Mrs Jones',
    'somebody-elses-alarm',
    '',
  ])('%j is nothing of ours', (name) => {
    expect(alarmOf(name)).toBeUndefined();
  });
});
