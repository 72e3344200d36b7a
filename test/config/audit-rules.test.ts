import { describe, expect, test } from 'vitest';
import { defineOperations, type OperationsInput } from '../../config/define-operations.ts';
import hms from '../../config/examples/hms.ts';
import { InvalidConfig } from '../../config/invalid-config.ts';

/** The HMS example with another audit section. */
const written = (audit: OperationsInput['audit'], change: Partial<OperationsInput> = {}): OperationsInput => ({ ...hms, audit, ...change });
function problemsOf(config: OperationsInput): InvalidConfig['problems'] {
  try {
    defineOperations(config);
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
  return [];
}
const keys = ['AZiI6Zgw4lSYGC8G6WwWxoAlaR7Jvlvyb2OrT1kRPZZe', 'AZiI6Zgw4lSYGC8G6WwWxoAlaR7Jvlvyb2OrT1kRPZZf'];
const [one, other] = keys.map((key, index) => ({
  verifierKey: `witness${index}.example+3bcd9d5e+${key}`,
  url: `https://witness${index}.example`,
}));
if (!one || !other) throw new Error('there are two witnesses');
const compliance = (days: number) => ({ retention: { mode: 'compliance', days } }) as const;

describe('the audit log is refused', () => {
  test.each<[string, OperationsInput, string, RegExp]>([
    [
      'with a quorum of nobody',
      written({ witnesses: { use: [], quorum: 1 } }),
      'audit.witnesses.quorum',
      /number of witnesses, which is 0/,
    ],
    ['with a quorum above its witnesses', written({ witnesses: { use: [one], quorum: 2 } }), 'audit.witnesses.quorum', /which is 1/],
    [
      'with one witness twice',
      written({ witnesses: { use: [one, one], quorum: 2 } }),
      'audit.witnesses.use[1].verifierKey',
      /named before/,
    ],
    ['with one action twice', written({ actions: ['ward.open', 'ward.open'] }), 'audit.actions[1]', /in the list already/],
    ['with a lock that ends before its logs', written(compliance(2556)), 'audit.retention.days', /logRetentionDays.audit, which is 2557/],
    [
      'with logs that outlive the lock',
      written({}, { logRetentionDays: { ...hms.logRetentionDays, audit: 3653 } }),
      'audit.retention.days',
      /which is 3653/,
    ],
  ])('%s', (_, config, path, wanted) => {
    const problems = problemsOf(config);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(problems[0]?.wanted).toMatch(wanted);
  });
});

test.each<[string, OperationsInput]>([
  ['a quorum of all witnesses', written({ witnesses: { use: [one, other], quorum: 2 } })],
  ['a lock as long as its logs', written(compliance(2557))],
  ['a short lock in governance mode', written({ retention: { mode: 'governance', days: 1 } })],
])('%s is taken', (_, config) => {
  expect(problemsOf(config)).toEqual([]);
});
