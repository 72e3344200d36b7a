import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecoveryPointId, Region, Timestamp } from '../../functions/common/ids.ts';
import type { Check, VerificationRecord } from '../../functions/verify/models.ts';
import { newVerification, verdictOf } from '../../functions/verify/verification.ts';
import { hms } from '../support/recovery-points.ts';

const at = Timestamp.parse('2026-11-21T12:00:00.000Z');
const required = [
  'integrity',
  'restore',
  'identity',
  'window',
  'schema',
  'rows',
  'content',
  'foreign-keys',
  'indexes',
  'constraints',
  'sequences',
];
const aCheck = (id: string, result: Check['result'] = 'passed'): Check => ({ id, says: id, result, findings: [] });
const aRecord = (change: Partial<VerificationRecord> = {}): VerificationRecord => ({
  ...newVerification({
    databaseId: hms,
    region: Region.parse('us-east-1'),
    purpose: 'backup',
    target: {
      kind: 'recovery-point',
      recoveryPointId: RecoveryPointId.parse('cb-hms-daily-20261121t070000z'),
      snapshotId: 'cb-hms-daily-20261121t070000z',
    },
    now: new Date(at),
  }),
  checks: required.map((id) => aCheck(id)),
  teardown: { status: 'removed', requestedAt: at, removedAt: at },
  ...change,
});

describe('verdict', () => {
  it('verifies a record in which everything was asked, passed and was removed', () => {
    expect(verdictOf(aRecord()).verdict).toBe('verified');
  });

  it.each(required)('refuses when the check "%s" never ran', (id) => {
    const { verdict, checks } = verdictOf(aRecord({ checks: required.filter((each) => each !== id).map((each) => aCheck(each)) }));
    expect(verdict).toBe('refused');
    expect(checks.find((check) => check.id === 'completed')?.findings).toEqual([`no answer to "${id}"`]);
  });

  it.each(required)('refuses when the required check "%s" is called not applicable', (id) => {
    expect(verdictOf(aRecord({ checks: required.map((each) => aCheck(each, each === id ? 'not-applicable' : 'passed')) })).verdict).toBe(
      'refused',
    );
  });

  it('refuses without a receipt of the teardown', () => {
    expect(verdictOf(aRecord({ teardown: { status: 'removing', requestedAt: at } })).verdict).toBe('refused');
  });

  it('tells a damaged backup from the machine failing, and shows the message that Lambda wrapped', () => {
    const Cause = JSON.stringify({ errorMessage: 'byte 17 differs', errorType: 'BackupDamaged' });
    const damaged = verdictOf(aRecord({ checks: [], failure: { Error: 'BackupDamaged', Cause } }));
    expect(damaged.checks[0]).toMatchObject({ id: 'integrity', result: 'failed', findings: ['BackupDamaged: byte 17 differs'] });
    expect(verdictOf(aRecord({ failure: { Error: 'States.Timeout' } })).checks.find((check) => check.id === 'machine')?.result).toBe(
      'failed',
    );
  });

  it('is "verified" only if nothing failed and everything required passed, whatever else the record holds', () => {
    const result = fc.constantFrom<Check['result'] | undefined>('passed', 'failed', 'not-applicable', undefined);
    fc.assert(
      fc.property(
        fc.array(result, { minLength: required.length, maxLength: required.length }),
        fc.boolean(),
        fc.boolean(),
        result,
        (results, failed, removed, invariant) => {
          const checks = [...required, 'invariant/orphan-orders'].flatMap((id, i) => {
            const answer = id.startsWith('invariant') ? invariant : results[i];
            return answer ? [aCheck(id, answer)] : [];
          });
          const record = aRecord({
            checks,
            ...(failed ? { failure: { Error: 'Anything' } } : {}),
            teardown: removed ? { status: 'removed', requestedAt: at, removedAt: at } : { status: 'removing', requestedAt: at },
          });
          const good = results.every((each) => each === 'passed') && invariant !== 'failed' && !failed && removed;
          expect(verdictOf(record).verdict).toBe(good ? 'verified' : 'refused');
        },
      ),
      { numRuns: 1000 },
    );
  });
});
