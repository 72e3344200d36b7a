import { describe, expect, it } from 'vitest';
import { dutyOf, isSuperseded } from '../../../functions/failover/lease/lease.ts';
import { at, epoch, led, planned, primary, standby } from '../support.ts';

const duties = (record: Parameters<typeof dutyOf>[0]) => [primary, standby].map((region) => dutyOf(record, region, primary).kind);

describe('what a guardian has to do, in the primary and in the standby Region', () => {
  it('is to begin for the configured primary alone while nobody has led', () => {
    expect(duties(undefined)).toEqual(['begin', 'wait']);
  });

  it('is to renew for both while somebody leads, whoever it is', () => {
    expect(duties(led())).toEqual(['renew', 'renew']);
    expect(duties(led({ holder: standby }))).toEqual(['renew', 'renew']);
  });

  it.each(['claimed', 'promoting'] as const)(
    'is to give way in the Region that the epoch is taken from, and nothing elsewhere: %s',
    (phase) => {
      expect(duties(led({ phase, epoch: epoch(8), holder: standby, plan: planned() }))).toEqual(['give-way', 'wait']);
      const back = planned({ from: standby, to: primary });
      expect(duties(led({ phase, epoch: epoch(8), holder: primary, plan: back }))).toEqual(['wait', 'give-way']);
    },
  );
});

describe('of two runs of a Region’s guardian', () => {
  it('the one that began earlier is superseded, and the other Region’s matters to neither', () => {
    const renewedBy = { region: primary, run: at(60) };
    expect(isSuperseded({ renewedBy }, primary, at(0))).toBe(true);
    expect(isSuperseded({ renewedBy }, primary, at(60))).toBe(false);
    expect(isSuperseded({ renewedBy }, primary, at(120))).toBe(false);
    expect(isSuperseded({ renewedBy }, standby, at(0))).toBe(false);
    expect(isSuperseded({}, primary, at(0))).toBe(false);
  });
});
