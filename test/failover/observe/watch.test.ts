import { describe, expect, it } from 'vitest';
import type { Vote } from '../../../functions/failover/models.ts';
import { resumedWatch, type Sighting, sighted } from '../../../functions/failover/observe/watch.ts';
import { at, databaseIds, epoch, policy, primary, secondsLater, standby } from '../support.ts';

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

describe('what a later run of an observer goes on from', () => {
  const [databaseId] = databaseIds;
  const cast = (inEpoch: number): Vote => ({
    ...{ observer: standby, at: at(10), run: at(0), about: primary, epoch: epoch(inEpoch), lease: { version: 41, unchangedSeconds: 3 } },
    findings: [{ subject: 'region', status: 'healthy', since: at(0), contrary: 0, says: '200' }],
    positions: databaseId ? [{ databaseId, position: { transactions: 90_000 }, at: at(9) }] : [],
  });

  it('is all of it, while the databases are the same', () => {
    const { findings, positions } = cast(8);
    expect(resumedWatch(primary, cast(8), { primarySince: epoch(8) })).toMatchObject({ findings, positions });
  });

  it('is no position of a database that was replaced since', () => {
    const watch = resumedWatch(primary, cast(7), { primarySince: epoch(8) });
    expect(watch.positions).toEqual([]);
    expect(watch.findings).toEqual(cast(7).findings);
  });
});
