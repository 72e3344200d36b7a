import { CodeblueError } from '../functions/common/errors.ts';

/** One thing wrong with a config. */
export interface ConfigProblem {
  /** `databases[0].objectives.rpo`; empty for the config as a whole. */
  readonly path: string;
  /** The value as it was written; absent when the problem is that nothing was written. */
  readonly got: string | undefined;
  /** What belongs there. */
  readonly wanted: string;
  /** What to change, as a sentence. */
  readonly change: string;
}

/** The config cannot be used. Lists every problem found, so that one run mends them all. */
export class InvalidConfig extends CodeblueError {
  override readonly name = 'InvalidConfig';
  readonly retryable = false;
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super(`the config has ${count}:\n${problems.map(describeProblem).join('\n')}`, {
      hint: 'Nothing was made or changed. Mend the config and run again; config/examples/ holds two complete ones.',
    });
    this.problems = problems;
  }
}

function describeProblem({ path, got, wanted, change }: ConfigProblem): string {
  const lines = [`got:    ${got ?? 'nothing'}`, `wanted: ${wanted}`, `change: ${change}`];
  return [`  ${path === '' ? 'the config' : path}`, ...lines.map((line) => `    ${line}`)].join('\n');
}

/** `['databases', 0, 'objectives', 'rpo']` -> `databases[0].objectives.rpo`; keys that are no identifier are quoted. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = String(part);
    if (!/^[A-Za-z_]\w*$/.test(key)) return `${text}['${key}']`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** A written value for people, shortened to one line. */
export function formatValue(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
