import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hours, minutes } from '../../../functions/common/duration.ts';
import { Region, timestamp } from '../../../functions/common/ids.ts';
import { weekly } from '../../../functions/common/schedule.ts';
import { type CoordinationRecord, Epoch } from '../../../functions/failover/models.ts';
import { isUnderWay, type Leadership, mayRun, mostSeconds } from '../../../functions/incidents/runbooks/guard.ts';
import { withRun } from '../../../functions/incidents/runbooks/history.ts';
import type { RunbookRun } from '../../../functions/incidents/runbooks/models.ts';
import { targetOf } from '../../../functions/incidents/runbooks/targets.ts';
import { aRunbook, restartOrders } from '../../support/runbook-world.ts';

/** A Saturday, 02:30 in New York: the window is open until 06:00. */
const inWindow = new Date('2026-11-21T07:30:00.000Z');
const noon = new Date('2026-11-21T17:00:00.000Z');
const windows = {
  changeWindows: [{ name: 'Saturday night', opens: weekly('sat', '02:00'), lasts: hours(4) }],
  timeZone: 'America/New_York',
};
const quiet: Leadership = { record: undefined, hold: undefined, containment: undefined };
const east = Region.parse('us-east-1');
const record: CoordinationRecord = {
  ...{ epoch: Epoch.parse(7), holder: east, phase: 'active', fenced: true, version: 1 },
  leaseUntil: timestamp(noon),
  changedAt: timestamp(noon),
};

const restart = { kind: 'restart-service', capacity: 'orders-api', wanted: 4, running: 4 } as const;

const aRun = (given: Partial<RunbookRun> & { readonly minutesAgo: number }, now = noon): RunbookRun => {
  const { minutesAgo, ...rest } = given;
  const startedAt = timestamp(new Date(now.getTime() - minutesAgo * 60_000));
  return {
    ...{ runId: 'run-before', runbook: 'mend', kind: 'restart-service', target: 'capacity/orders-api', startedAt, act: restart },
    until: timestamp(new Date(Date.parse(startedAt) + mostSeconds(restartOrders) * 1000)),
    ...rest,
  };
};
const over = (run: RunbookRun, outcome: RunbookRun['outcome'] = 'helped'): RunbookRun => ({ ...run, endedAt: run.until, outcome });
const judge = (runs: readonly RunbookRun[] = [], leadership: Partial<Leadership> = {}, runbook = restartOrders, now = noon) => {
  const verdict = mayRun(runbook, { runId: 'run-now', runs }, { leadership: { ...quiet, ...leadership }, windows }, now);
  return verdict.kind === 'may' ? 'may' : verdict.because;
};

describe('an automated runbook', () => {
  it('may run when nothing stands in its way', () => {
    expect(judge()).toBe('may');
    expect(judge([], { record })).toBe('may');
  });

  it('never runs while the lead moves, while somebody holds everything, or a breach is contained', () => {
    expect(judge([], { record: { ...record, phase: 'claimed' } })).toContain('the lead is being moved');
    const hold = { until: timestamp(new Date(noon.getTime() + 1000)), by: 'alice', reason: 'a new switch', at: timestamp(noon) };
    expect(judge([], { hold })).toContain('alice holds it');
    expect(judge([], { hold: { ...hold, until: timestamp(noon) } })).toBe('may');
    expect(judge([], { containment: { breachId: 'breach-1', by: 'alice', since: timestamp(noon) } })).toContain(
      'breach-1 is being contained',
    );
  });

  it('waits for its change window, and for one that is open long enough to see what it did', () => {
    const inWindows = aRunbook(restartOrders.action, { guard: { when: 'change-window' } });
    expect(judge([], {}, inWindows, noon)).toContain('no change window is open');
    expect(judge([], {}, inWindows, inWindow)).toBe('may');
    const slow = { ...inWindows, helpsWithin: hours(4) };
    expect(judge([], {}, slow, inWindow)).toContain('no change window is open with 4 h left in it');
  });

  it('stops trying what does not help, over all incidents, and may try again when that is long enough ago', () => {
    const tries = [
      over(aRun({ runId: 'run-a', minutesAgo: 300 }), 'not-helped'),
      over(aRun({ runId: 'run-b', minutesAgo: 100 }), 'not-helped'),
    ];
    expect(judge(tries)).toBe('it has run 2 times within 6 h, and 2 are allowed; the last one did not help');
    expect(judge(tries.map((run) => ({ ...run, runbook: 'another' })))).toBe('may');
    expect(judge([...tries.slice(1), over(aRun({ runId: 'run-a', minutesAgo: 361 }))])).toBe('may');
    // What was stopped before it did anything is no try.
    expect(judge(tries.map((run) => ({ ...run, outcome: 'refused' as const })))).toBe('may');
  });

  it('mends one thing at a time: not two of a kind, and not one thing twice', () => {
    expect(judge([aRun({ minutesAgo: 1, runbook: 'other', target: 'capacity/imaging' })])).toContain(
      'run-before is at work on capacity/imaging',
    );
    expect(judge([aRun({ minutesAgo: 1, runbook: 'other', kind: 'scale-out' })])).toContain('run-before is at work on capacity/orders-api');
    expect(judge([aRun({ minutesAgo: 1, runbook: 'other', kind: 'scale-out', target: 'capacity/imaging' })])).toBe('may');
  });

  it('is not held up for ever by one that died, and goes on where it died itself', () => {
    const died = aRun({ minutesAgo: 26, runbook: 'other' });
    expect(judge([aRun({ minutesAgo: 24, runbook: 'other' })])).toContain('at work');
    expect(judge([died])).toBe('may');
    expect(judge([aRun({ minutesAgo: 1, runId: 'run-now' })])).toBe('may');
  });

  it('never has more runs than it may, nor two of a kind at work, whenever runs are asked for', () => {
    const ask = fc.record({
      afterSeconds: fc.integer({ min: 0, max: 7200 }),
      which: fc.integer({ min: 0, max: 3 }),
      endsAfter: fc.option(fc.integer({ min: 1, max: 1200 }), { nil: undefined }),
    });
    const runbooks = [
      restartOrders,
      aRunbook({ kind: 'restart-service', capacity: 'imaging' }, { id: 'other', guard: { tries: 1 } }),
      aRunbook({ kind: 'scale-out', capacity: 'orders-api', by: 1, atMost: 9 }, { id: 'wide' }),
      aRunbook({ kind: 'end-long-queries', database: 'hms', olderThan: minutes(5) }, { id: 'queries', guard: { tries: 3, per: hours(1) } }),
    ];
    fc.assert(
      fc.property(fc.array(ask, { maxLength: 60 }), (asks) => {
        let history: { readonly runs: readonly RunbookRun[]; readonly version: number } = { runs: [], version: 0 };
        let seconds = 0;
        const begun: RunbookRun[] = [];
        for (const [index, { afterSeconds, which, endsAfter }] of asks.entries()) {
          seconds += afterSeconds;
          const now = new Date(noon.getTime() + seconds * 1000);
          const ended = history.runs.map((run) => {
            const end = begun.find(({ runId }) => runId === run.runId)?.endedAt;
            return end !== undefined && Date.parse(end) <= now.getTime() ? { ...run, endedAt: end } : run;
          });
          const runbook = runbooks[which] ?? restartOrders;
          const runId = `run-${index}`;
          const verdict = mayRun(runbook, { runId, runs: ended }, { leadership: quiet, windows }, now);
          if (verdict.kind === 'refused') continue;
          const atWork = ended.filter((run) => isUnderWay(run, now));
          expect(atWork.filter((run) => run.kind === runbook.action.kind || run.target === targetOf(runbook))).toEqual([]);
          const run: RunbookRun = {
            ...{
              runId,
              runbook: runbook.id,
              kind: runbook.action.kind,
              target: targetOf(runbook),
              startedAt: timestamp(now),
              act: restart,
            },
            until: timestamp(new Date(now.getTime() + mostSeconds(runbook) * 1000)),
          };
          begun.push(endsAfter === undefined ? run : { ...run, endedAt: timestamp(new Date(now.getTime() + endsAfter * 1000)) });
          history = withRun({ runs: [...ended], version: 0 }, run, now);
        }
        for (const runbook of runbooks) {
          const times = begun.filter((run) => run.runbook === runbook.id).map(({ startedAt }) => Date.parse(startedAt));
          for (const [index, time] of times.entries()) {
            const after = times[index + runbook.guard.tries];
            if (after !== undefined) expect(after - time).toBeGreaterThanOrEqual(runbook.guard.per * 1000);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
