import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../functions/failover/models.ts';
import { nextFinding, resumedFindings } from '../../../functions/failover/observe/findings.ts';
import { at, policy, secondsLater } from '../support.ts';

const counts = { failuresToTrip: 3, successesToClear: 6 };
const well = { ok: true, says: '200 in 31 ms' };
const ill = { ok: false, says: 'timeout after 2 s' };
const blind = { ok: undefined, says: 'no way to look' };

/** One probe every five seconds. */
const finding = (...results: readonly { readonly ok: boolean | undefined; readonly says: string }[]): Finding | undefined =>
  results.reduce<Finding | undefined>(
    (last, result, index) => nextFinding('region', last, result, counts, secondsLater(5 * index)),
    undefined,
  );
const times = <T>(count: number, value: T): T[] => Array<T>(count).fill(value);

describe('a finding', () => {
  it('is healthy from the first success, with the evidence of the last probe', () => {
    expect(finding(well)).toEqual({ subject: 'region', status: 'healthy', since: at(0), contrary: 0, says: '200 in 31 ms' });
  });

  it('turns unhealthy at the third failure in a row, and not before', () => {
    expect(finding(well, ill, ill)).toMatchObject({ status: 'healthy', contrary: 2, says: 'timeout after 2 s' });
    expect(finding(well, ill, ill, ill)).toMatchObject({ status: 'unhealthy', since: at(15), contrary: 0 });
    expect(finding(well, ill, ill, well, ill, ill)).toMatchObject({ status: 'healthy', contrary: 2 });
  });

  it('clears at the sixth success in a row, and keeps the time of its turn until then', () => {
    expect(finding(well, ...times(3, ill), ...times(5, well))).toMatchObject({ status: 'unhealthy', since: at(15) });
    expect(finding(well, ...times(3, ill), ...times(5, well), ill)).toMatchObject({ status: 'unhealthy', since: at(15), contrary: 0 });
    expect(finding(well, ...times(3, ill), ...times(6, well))).toMatchObject({ status: 'healthy', since: at(45) });
  });

  it('is no evidence for something that was never seen healthy, or cannot be looked at', () => {
    expect(finding(...times(20, ill))).toMatchObject({ status: 'unknown', since: at(0), says: 'timeout after 2 s' });
    expect(finding(...times(20, ill), well, ...times(3, ill))).toMatchObject({ status: 'unhealthy' });
    expect(finding(...times(3, well), blind)).toMatchObject({ status: 'unknown', says: 'no way to look' });
  });

  it('never turns by an alternation, however long', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 30 }), (runs) => {
        const flapping = runs.flatMap((failures) => [...times(failures, ill), well]);
        expect(finding(well, ...flapping)).toMatchObject({ status: 'healthy', since: at(0) });
      }),
    );
  });

  it('holds no more text than a vote may', () => {
    expect(finding(well, { ok: false, says: 'x'.repeat(500) })?.says).toHaveLength(200);
  });
});

describe('after a pause', () => {
  const unhealthy: Finding = { subject: 'region', status: 'unhealthy', since: at(-60), contrary: 2, says: 'refused' };

  it('trouble goes on counting when the pause was short', () => {
    expect(resumedFindings([unhealthy], secondsLater(-30), policy.observe, secondsLater(0))).toEqual([unhealthy]);
  });

  it('trouble counts from now when nobody looked for a while', () => {
    expect(resumedFindings([unhealthy], secondsLater(-31), policy.observe, secondsLater(0))).toEqual([
      { ...unhealthy, since: at(0), contrary: 0 },
    ]);
    const healthy: Finding = { ...unhealthy, status: 'healthy' };
    expect(resumedFindings([healthy], secondsLater(-31), policy.observe, secondsLater(0))).toEqual([{ ...healthy, contrary: 0 }]);
  });
});
