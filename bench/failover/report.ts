import type { DoubleWriting, KillResult, PlayName } from './plays.ts';
import type { Contender } from './system.ts';

/** What one contender did so far. */
export interface Score {
  readonly contender: Contender;
  readonly kill: KillResult[];
  readonly partition: DoubleWriting[];
  readonly alone: DoubleWriting[];
  readonly failures: { readonly play: PlayName; readonly round: number; readonly says: string }[];
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @throws RangeError without values */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || least === undefined || most === undefined) throw new RangeError('no values');
  return { median: (low + high) / 2, least, most };
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(1);
const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** The report that people read; its lines go into docs/performance.md. The first score is ours, the others are held against it. */
export function textReport(scores: readonly Score[], circumstances: string): string {
  const lines = [circumstances, ''];
  for (const { name, settings } of scores.map(({ contender }) => contender)) lines.push(`${name.padEnd(26)} ${settings}`);
  lines.push('', 'Region of the primary killed: seconds to the first acknowledged write on the new primary');
  for (const { contender, kill } of scores) if (kill.length > 0) lines.push(killLine(contender.name, kill));
  lines.push(...ratioLines(scores));
  for (const [play, title] of [
    ['partition', 'Primary cut off from its peers, its own clients still reach it: both sides of the change'],
    ['alone', 'The same, and what keeps the primary in check killed beside it, its PostgreSQL left running'],
  ] as const) {
    if (scores.every((score) => score[play].length === 0)) continue;
    lines.push('', title);
    for (const score of scores) if (score[play].length > 0) lines.push(doubleLine(score.contender.name, score[play]));
  }
  const failures = scores.flatMap(({ contender, failures }) =>
    failures.map(({ play, round, says }) => `FAILED ${contender.name}, ${play} ${round + 1}: ${says}`),
  );
  if (failures.length > 0) lines.push('', ...failures);
  return `${lines.join('\n')}\n`;
}

function killLine(name: string, results: readonly KillResult[]): string {
  const { median, least, most } = spreadOf(results.map(({ outageMs }) => outageMs));
  return `${name.padEnd(26)} median ${seconds(median).padStart(5)}   from ${seconds(least)} to ${seconds(most)}   killed ${times(results.length)}`;
}

function ratioLines([ours, ...rivals]: readonly Score[]): readonly string[] {
  if (!ours || ours.kill.length === 0) return [];
  const medianOf = ({ kill }: Score): number => spreadOf(kill.map(({ outageMs }) => outageMs)).median;
  return rivals
    .filter(({ kill }) => kill.length > 0)
    .map((rival) => {
      const { name, atMost } = rival.contender;
      const ratio = medianOf(ours) / medianOf(rival);
      const objective = atMost === undefined ? '' : `   (objective: at most ${atMost.toFixed(2)}${ratio > atMost ? ', MISSED' : ''})`;
      return `${ours.contender.name} / ${name}: ${ratio.toFixed(2)}${objective}`;
    });
}

function doubleLine(name: string, results: readonly DoubleWriting[]): string {
  const { median, least, most } = spreadOf(results.map(({ windowMs }) => windowMs));
  const { median: outage } = spreadOf(results.map(({ outageMs }) => outageMs));
  const double = results.filter(({ loserWrites }) => loserWrites > 0);
  const says =
    double.length === 0
      ? `never two writers: gap ${seconds(-median)} s (${seconds(-most)} to ${seconds(-least)})`
      : `TWO WRITERS ${times(double.length)}: ${double.some(({ stillWriting }) => stillWriting) ? 'more than ' : ''}${seconds(most)} s, ${double.reduce(
          (sum, { loserWrites }) => sum + loserWrites,
          0,
        )} writes acknowledged by the loser`;
  return `${name.padEnd(26)} ${says}; new primary after ${seconds(outage)} s; tried ${times(results.length)}`;
}
