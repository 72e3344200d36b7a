import { describe, expect, it } from 'vitest';
import { type Sighting, sighted } from '../../../functions/failover/observe/watch.ts';
import { policy, secondsLater } from '../support.ts';

const { every, timeout } = policy.observe;
/** Reads of the given versions at the given seconds by the observer's clock. */
const reads = (...at: readonly (readonly [number, number])[]): Sighting =>
  at.reduce<Sighting>((before, [seconds, version]) => sighted(before, version, policy.observe, secondsLater(seconds)), {
    ...{ version: 0, unchangedSeconds: 0, readAt: undefined },
  });

describe('how long one version of the record was seen', () => {
  it('counts from the end of the first read that returned it', () => {
    expect(reads([0, 41]).unchangedSeconds).toBe(0);
    expect(reads([0, 41], [5, 41], [10, 41]).unchangedSeconds).toBe(10);
  });

  it('begins again with every other version', () => {
    expect(reads([0, 41], [5, 41], [10, 42])).toMatchObject({ version: 42, unchangedSeconds: 0 });
    expect(reads([0, 41], [5, 42], [10, 42]).unchangedSeconds).toBe(5);
  });

  it('counts no more between two reads than lies there when all goes well: a clock set forward is not believed', () => {
    expect(reads([0, 41], [3600, 41]).unchangedSeconds).toBe(every + timeout);
    expect(reads([0, 41], [3600, 41], [3605, 41]).unchangedSeconds).toBe(2 * every + timeout);
  });

  it('counts nothing for a clock that was set back', () => {
    expect(reads([0, 41], [5, 41], [-3600, 41], [-3595, 41]).unchangedSeconds).toBe(10);
  });
});
