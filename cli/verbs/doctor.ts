import type { Examination } from '../../functions/doctor/examine.ts';
import type { Finding } from '../../functions/doctor/finding.ts';
import type { Terminal } from '../terminal.ts';

export const hasProblem = ({ findings }: Examination): boolean => findings.some(({ level }) => level === 'problem');

const signs = { problem: '✗', warning: '!', ok: '✓' } as const;

/** @param forLab a lab has no account to look at */
export function renderExamination(
  { findings, accountExamined }: Examination,
  forLab: boolean,
  { colours }: Pick<Terminal, 'colours'>,
): string {
  const paints = { problem: colours.red, warning: colours.yellow, ok: colours.green } as const;
  const lines = findings.flatMap(({ level, subject, says, mend }) => [
    `${paints[level](signs[level])} ${colours.bold(subject)}: ${says}`,
    ...(mend === '' ? [] : [`    ${mend}`]),
  ]);
  const looked = accountExamined
    ? []
    : forLab
      ? ['', 'This is a lab: it has no AWS account to look at.']
      : [
          '',
          colours.yellow('The AWS account was not looked at: no working credentials. The findings are about the config alone.'),
          'Sign in (aws sso login, or set AWS_PROFILE) and run codeblue doctor again.',
        ];
  return [...lines, ...looked, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const noun = (number: number, word: string) => `${number === 0 ? 'no' : number} ${word}${number === 1 ? '' : 's'}`;
  return `${noun(count('problem'), 'problem')}, ${noun(count('warning'), 'warning')}, ${count('ok')} ok`;
}
