import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fenceWaitSeconds } from '../../../functions/failover/lease/fence-wait.ts';
import type { Vote } from '../../../functions/failover/models.ts';
import { at, epoch, led, policy, primary, standby } from '../support.ts';

const vote = (version: number, unchangedSeconds: number, change: Partial<Vote> = {}): Vote => ({
  observer: standby,
  at: at(0),
  run: at(-60),
  about: primary,
  epoch: epoch(7),
  findings: [],
  positions: [],
  lease: { version, unchangedSeconds },
  ...change,
});
const wait = (...votes: Vote[]) => fenceWaitSeconds(policy.lease, led(), votes);

describe('the wait for the old lease', () => {
  it('is the whole lease and the margin when nobody has watched', () => {
    expect(wait()).toBe(25);
  });

  it('is shorter by the time for which somebody has seen no renewal', () => {
    expect(wait(vote(41, 18))).toBe(7);
    expect(wait(vote(41, 3), vote(41, 18), vote(41, 0))).toBe(7);
    expect(wait(vote(41, 300))).toBe(0);
  });

  it('counts nothing of what was seen of another version: a renewal came after it', () => {
    expect(wait(vote(40, 300))).toBe(25);
    expect(wait(vote(42, 300))).toBe(25);
  });

  it('never ends before a lease that was renewed as late as the votes allow', () => {
    const { length, margin, renewEvery } = policy.lease;
    // One guardian renews, observers read, somebody claims: all on a true clock that no decision sees.
    const seconds = (max: number) => fc.double({ min: 0, max, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(seconds(2 * renewEvery), seconds(2)), { minLength: 1, maxLength: 8 }),
        fc.array(seconds(60), { maxLength: 20 }),
        seconds(60),
        (renewals, readTimes, claimAt) => {
          let time = 0;
          const written = renewals.map(([pause, latency], index) => {
            const clockRead = time + pause;
            time = clockRead + latency;
            return { version: index + 1, storedAt: time, leaseEnd: clockRead + length };
          });
          const current = written.findLast(({ storedAt }) => storedAt <= claimAt);
          if (current === undefined) return;
          const reads = readTimes.filter((read) => read <= claimAt).sort((a, b) => a - b);
          const votes = written.flatMap(({ version, storedAt }) => {
            const next = written[version]?.storedAt ?? Number.POSITIVE_INFINITY;
            const seen = reads.filter((read) => read >= storedAt && read < next);
            const [first, last] = [seen.at(0), seen.at(-1)];
            return first === undefined || last === undefined ? [] : [vote(version, last - first)];
          });
          const allowedAt = claimAt + fenceWaitSeconds(policy.lease, led({ version: current.version }), votes);
          expect(allowedAt).toBeGreaterThanOrEqual(current.leaseEnd + margin - 1e-6);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
