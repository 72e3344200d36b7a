import { describe, expect, test } from 'vitest';
import { type AlarmState, evaluate, type MissingData } from '../../../functions/incidents/alarms/evaluate.ts';

/** `0 - X - X` of CloudWatch's documentation: well, missing, past the threshold; the newest one last. */
const points = (drawn: string) => drawn.split(' ').map((each) => (each === '-' ? undefined : each === 'X' ? 10 : 0));
const judged = (drawn: string, periods: number, datapointsToAlarm: number, missingData: MissingData, current: AlarmState = 'ok') =>
  evaluate({ fires: 'above', threshold: 5, periods, datapointsToAlarm, missingData }, points(drawn), current);

/** "Configuring how CloudWatch alarms treat missing data", tables of the user guide. `keep`: retain current state. */
type Expected = AlarmState | 'keep';
const rows = (...lines: readonly (readonly [string, Expected, Expected, Expected, Expected])[]) =>
  lines.flatMap(([drawn, missing, ignore, breaching, notBreaching]) =>
    Object.entries({ missing, ignore, breaching, notBreaching }).map(([rule, expected]) => ({
      drawn,
      rule: rule as MissingData,
      expected,
    })),
  );

const threeOfThree = rows(
  ['0 - X - X', 'ok', 'ok', 'ok', 'ok'],
  ['- - - - 0', 'ok', 'ok', 'ok', 'ok'],
  ['- - - - -', 'insufficient-data', 'keep', 'alarm', 'ok'],
  ['0 X X - X', 'alarm', 'alarm', 'alarm', 'alarm'],
  ['- - X - -', 'alarm', 'keep', 'alarm', 'ok'],
);
const twoOfThree = rows(
  ['0 - X - X', 'alarm', 'alarm', 'alarm', 'alarm'],
  ['0 0 X 0 X', 'alarm', 'alarm', 'alarm', 'alarm'],
  ['0 - X - -', 'ok', 'ok', 'alarm', 'ok'],
  ['- - - - 0', 'ok', 'ok', 'alarm', 'ok'],
  ['- - - X -', 'alarm', 'keep', 'alarm', 'ok'],
);

describe('as CloudWatch documents it', () => {
  const before: readonly AlarmState[] = ['ok', 'alarm', 'insufficient-data'];

  test.each(threeOfThree)('three of three, $drawn, missing data is $rule: $expected', ({ drawn, rule, expected }) => {
    for (const current of before) expect(judged(drawn, 3, 3, rule, current)).toBe(expected === 'keep' ? current : expected);
  });

  test.each(twoOfThree)('two of three, $drawn, missing data is $rule: $expected', ({ drawn, rule, expected }) => {
    for (const current of before) expect(judged(drawn, 3, 2, rule, current)).toBe(expected === 'keep' ? current : expected);
  });

  test('one young data point past the threshold decides nothing while the rest is missing', () => {
    expect(judged('- - - - X', 3, 3, 'missing', 'insufficient-data')).toBe('insufficient-data');
    expect(judged('- - - - X', 3, 3, 'missing', 'ok')).toBe('ok');
  });

  test('what is older than the newest N does not count while there are N', () => {
    expect(judged('X X X 0 0 0', 3, 1, 'breaching')).toBe('ok');
    expect(judged('0 0 0 X X X', 3, 3, 'notBreaching')).toBe('alarm');
  });
});

test.each([
  ['above', 5, false],
  ['above', 5.1, true],
  ['at-or-above', 5, true],
  ['at-or-above', 4.9, false],
  ['below', 5, false],
  ['below', 4.9, true],
] as const)('%s 5: %d rings %s', (fires, value, rings) => {
  const rule = { fires, threshold: 5, periods: 1, datapointsToAlarm: 1, missingData: 'missing' } as const;
  expect(evaluate(rule, [value], 'ok')).toBe(rings ? 'alarm' : 'ok');
});
