import { describe, expect, it } from 'vitest';
import type { DoubleWriting } from '../../bench/failover/plays.ts';
import { type Score, spreadOf, textReport } from '../../bench/failover/report.ts';

const scoreOf = (results: Partial<Score>): Score => ({
  contender: { name: 'Rival', settings: 'ttl 30 s', cycleSeconds: 10, start: () => Promise.reject(new Error('not started here')) },
  kill: [],
  partition: [],
  alone: [],
  failures: [],
  ...results,
});
const named = (score: Score, name: string): Score => ({ ...score, contender: { ...score.contender, name } });
const gap: DoubleWriting = { windowMs: -4_200, loserWrites: 0, stillWriting: false, outageMs: 20_000 };

describe('the spread of a few measurements', () => {
  it('has the one in the middle as its median, whatever their order', () => {
    expect(spreadOf([30, 10, 20])).toEqual({ median: 20, least: 10, most: 30 });
  });

  it('has the mean of the two in the middle when they are even in number', () => {
    expect(spreadOf([40, 10, 20, 30]).median).toBe(25);
  });

  it('is nothing to speak of without measurements', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe('the report of the failover benchmark', () => {
  it('tells the outage of the kills as median and range', () => {
    const text = textReport([scoreOf({ kill: [{ outageMs: 21_000 }, { outageMs: 29_000 }, { outageMs: 22_500 }] })], 'here and now');
    expect(text).toMatch(/Rival +median +22\.5 +from 21\.0 to 29\.0 +killed 3 times/);
    expect(text).not.toContain('both sides of the change');
  });

  it('holds the first contender against the others, by their medians', () => {
    const rival = scoreOf({ kill: [{ outageMs: 20_000 }, { outageMs: 30_000 }] });
    const ours = scoreOf({ kill: [{ outageMs: 9_000 }, { outageMs: 11_000 }] });
    const against = (atMost: number) => textReport([named(ours, 'Ours'), { ...rival, contender: { ...rival.contender, atMost } }], '');
    expect(against(0.5)).toContain('Ours / Rival: 0.40   (objective: at most 0.50)');
    expect(against(0.3)).toContain('Ours / Rival: 0.40   (objective: at most 0.30, MISSED)');
  });

  it('says that there were never two writers only when the loser acknowledged nothing after the winner', () => {
    const clean = textReport([scoreOf({ partition: [gap, { ...gap, windowMs: -6_000 }] })], '');
    expect(clean).toContain('never two writers: gap 5.1 s (4.2 to 6.0)');

    const dirty = textReport(
      [scoreOf({ partition: [gap, { windowMs: 10_000, loserWrites: 2_050, stillWriting: true, outageMs: 20_000 }] })],
      '',
    );
    expect(dirty).toContain('TWO WRITERS once: more than 10.0 s, 2050 writes acknowledged by the loser');
    expect(dirty).not.toContain('never two writers');
  });

  it('names the plays that failed', () => {
    const text = textReport([scoreOf({ failures: [{ play: 'kill', round: 2, says: 'no new primary' }] })], '');
    expect(text).toContain('FAILED Rival, kill 3: no new primary');
  });
});
