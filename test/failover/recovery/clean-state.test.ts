import { describe, expect, test } from 'vitest';
import type { RecoveryPoint } from '../../../functions/backup/models.ts';
import { RecoveryPointId, type Region, timestamp, VerificationId } from '../../../functions/common/ids.ts';
import { chooseCleanState } from '../../../functions/failover/recovery/clean-state.ts';
import { east, west } from '../../support/failover-world.ts';
import { hms } from '../../support/recovery-points.ts';

const at = (time: string) => new Date(`2026-11-21T${time}Z`);
const verificationId = VerificationId.parse('cbv-hms-daily-1');

/** Taken at that time, complete ten minutes later, and verified. */
function point(
  time: string,
  change: Partial<RecoveryPoint['locations'][number]> = {},
  outcome: 'verified' | 'refused' = 'verified',
): RecoveryPoint {
  const requestedAt = timestamp(at(time));
  const id = RecoveryPointId.parse(`cb-hms-daily-20261121t${time.slice(0, 8).replaceAll(':', '')}z`);
  const availableAt = timestamp(new Date(at(time).getTime() + 600_000));
  return {
    ...{ id, databaseId: hms, kind: 'daily', requestedAt, version: 1, verification: { verificationId, outcome, at: requestedAt } },
    locations: [{ region: east, role: 'home', snapshotId: id, keyId: 'k', status: 'available', availableAt, ...change }],
  };
}

const log = { earliestRestorableAt: at('04:00:00'), latestRestorableAt: at('11:55:00') };
const choose = (
  given: { points?: readonly RecoveryPoint[]; until: string; live?: typeof log | undefined; region?: Region },
  patience: 'wait' | 'now' = 'wait',
) => chooseCleanState({ region: east, points: [], live: log, ...given, until: at(given.until) }, patience);

describe('the last clean state', () => {
  test('is the very second where the log reaches it, with the newest proven backup before it', () => {
    expect(choose({ until: '11:00:00', points: [point('02:00:00'), point('08:00:00'), point('10:55:00')] })).toEqual({
      kind: 'chosen',
      state: { method: 'transaction-log', restoredTo: '2026-11-21T11:00:00.000Z', provenBefore: 'cb-hms-daily-20261121t080000z' },
    });
  });

  test('waits for a log that is late, and then takes what it has', () => {
    expect(choose({ until: '11:59:00' })).toEqual({ kind: 'wait', says: expect.stringContaining('240 s before') });
    expect(choose({ until: '11:59:00' }, 'now')).toMatchObject({
      state: { method: 'transaction-log', restoredTo: '2026-11-21T11:55:00.000Z' },
    });
  });

  test('is the newest proven backup where the log does not reach back', () => {
    expect(choose({ until: '03:00:00', points: [point('01:00:00'), point('02:00:00')] })).toEqual({
      kind: 'chosen',
      state: {
        method: 'recovery-point',
        restoredTo: '2026-11-21T02:00:00.000Z',
        recoveryPointId: 'cb-hms-daily-20261121t020000z',
        snapshotId: 'cb-hms-daily-20261121t020000z',
      },
    });
    expect(choose({ until: '11:00:00', live: undefined, points: [point('02:00:00')] })).toMatchObject({
      state: { method: 'recovery-point' },
    });
  });

  test.each([
    ['complete after that second: the damage may be in it', point('02:55:00')],
    ['that a verification refused', point('02:00:00', {}, 'refused')],
    [
      'refused where it would be restored',
      point('02:00:00', { verdict: { verificationId, outcome: 'refused', at: timestamp(at('02:30:00')) } }),
    ],
    ['that is not there any more', point('02:00:00', { status: 'removed' })],
    ['in another Region', point('02:00:00', { region: west })],
    ['that is only locked away', point('02:00:00', { role: 'locked' })],
  ])('is never a backup %s', (_, unfit) => {
    expect(choose({ until: '03:00:00', points: [unfit] })).toMatchObject({
      kind: 'none',
      because: expect.stringContaining('no proven backup'),
    });
    expect(choose({ until: '03:00:00', points: [unfit, point('01:00:00')] })).toMatchObject({
      state: { recoveryPointId: 'cb-hms-daily-20261121t010000z' },
    });
  });
});
