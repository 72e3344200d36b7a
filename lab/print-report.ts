import pc from 'picocolors';
import { formatSeconds } from '../functions/common/duration.ts';
import type { LabReport } from './report.ts';

/** The report for people: what was promised and held, what was measured against what was wanted. */
export function printReport({ promises, measured, objectives, phases }: LabReport): void {
  const width = Math.max(...promises.map(({ id }) => id.length));
  console.log('');
  for (const { id, says, held, figure } of promises) {
    console.log(`${held ? pc.green('held  ') : pc.red('BROKEN')}  ${pc.bold(id.padEnd(width))}  ${says}`);
    console.log(`        ${' '.repeat(width)}  ${pc.dim(figure)}`);
  }
  console.log('');
  for (const [name, objective] of Object.entries(objectives)) {
    const value = measured[name];
    if (value !== undefined) console.log(`${says(name)}: ${formatSeconds(value)}, objective ${formatSeconds(objective)}`);
  }
  const total = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const broken = promises.filter(({ held }) => !held);
  const verdict =
    broken.length === 0
      ? pc.green(`all ${promises.length} promises held`)
      : pc.red(`${broken.length} of ${promises.length} promises broken: ${broken.map(({ id }) => id).join(', ')}`);
  console.log(`\n${verdict} in ${formatSeconds(total)}`);
}

/** `dataLossSeconds` -> `data loss` */
const says = (name: string): string => name.replace(/Seconds$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
