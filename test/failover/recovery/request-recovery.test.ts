import { describe, expect, test } from 'vitest';
import { DatabaseId } from '../../../functions/common/ids.ts';
import type { Hold } from '../../../functions/failover/models.ts';
import { requestRecovery, type WantedRecovery } from '../../../functions/failover/recovery/request-recovery.ts';
import { at, led, operations, planned, primary, secondsLater } from '../support.ts';

const hms = DatabaseId.parse('hms');
const ask = (change: Partial<WantedRecovery> = {}) =>
  requestRecovery({
    ...{ operations, record: led(), hold: undefined, databaseId: hms, until: secondsLater(-3600), requestedBy: 'alice' },
    ...{ reason: 'orders were deleted', now: secondsLater(0), ...change },
  });
const heldBy = (by: string, until = at(60)): Hold => ({ until, by, reason: 'by hand', at: at(-60) });

describe('a recovery is asked for', () => {
  test('in the Region and the epoch that lead now', () => {
    expect(ask()).toEqual({
      kind: 'request',
      request: {
        ...{ recoveryId: 'recovery-hms-20261121t120000z', databaseId: 'hms', region: primary, until: at(-3600), epoch: 7 },
        ...{ requestedBy: 'alice', reason: 'orders were deleted', requestedAt: at(0) },
      },
    });
  });

  test('again, by a caller who did not hear the answer: its own hold does not stand in its way', () => {
    expect(ask({ hold: heldBy('recovery-hms-20261121t120000z') })).toEqual(ask());
  });

  test('by the containment of a breach, under its hold', () => {
    const under = 'breach-20261121t110000z';
    expect(ask({ hold: heldBy(under), under })).toMatchObject({ kind: 'request', request: { under } });
    expect(ask({ hold: heldBy('bob'), under })).toMatchObject({ kind: 'refused' });
  });

  test('after a hold that has ended', () => {
    expect(ask({ hold: heldBy('bob', at(-1)) })).toEqual(ask());
  });

  test.each<[string, Partial<WantedRecovery>, string]>([
    ['without a fence', { operations: { ...operations, failover: { ...operations.failover, mode: 'off' } } }, 'failover.mode is off'],
    ['before anybody led', { record: undefined }, 'nobody leads yet'],
    ['while the lead is being moved', { record: led({ phase: 'claimed', plan: planned() }) }, 'one change at a time'],
    ['of a database that is not there', { databaseId: DatabaseId.parse('other') }, 'no database other'],
    ['of an Aurora cluster', { databaseId: DatabaseId.parse('billing') }, 'Aurora global database'],
    ['while somebody holds everything', { hold: heldBy('bob') }, 'bob holds it until'],
    ['to a second that has not been', { until: secondsLater(1) }, 'lies in the future'],
  ])('and refused %s', (_, change, because) => {
    expect(ask(change)).toEqual({ kind: 'refused', because: expect.stringContaining(because) });
  });
});
