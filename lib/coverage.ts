import { InvalidInput } from '../functions/common/errors.ts';
import type { Operations } from '../functions/common/operations.ts';
import { describeGaps, gapsByStep, mendGaps } from '../functions/doctor/incident-findings.ts';

/**
 * What is deployed tells somebody at every moment of the coming year. Asked at synth and not when a config is read: time alone can make a gap, and a function that
 * pages people must not refuse its config one morning.
 *
 * @throws InvalidInput naming each step that would tell nobody, and when first
 */
export function refuseCoverageGaps({ incidents }: Operations, now: Date): void {
  if (incidents.mode === 'off') return;
  const gaps = gapsByStep(incidents, now);
  if (gaps.length === 0) return;
  const lines = gaps.map(({ path, gaps: own }) => `  ${path}: nobody is on duty ${describeGaps(own)}`);
  throw new InvalidInput(`pages would reach nobody:\n${lines.join('\n')}`, { hint: mendGaps });
}
