/** What the doctor found about one thing. */
export interface Finding {
  /** `problem`: it will not work, or not protect. `warning`: it works, and there is something to know. */
  readonly level: 'ok' | 'warning' | 'problem';
  /** What it is about: a path in the config, or a thing in the account. */
  readonly subject: string;
  /** What is so, as a sentence without its full stop. */
  readonly says: string;
  /** What to do about it; empty when it is ok. */
  readonly mend: string;
}

export const ok = (subject: string, says: string): Finding => ({ level: 'ok', subject, says, mend: '' });
export const warning = (subject: string, says: string, mend: string): Finding => ({ level: 'warning', subject, says, mend });
export const problem = (subject: string, says: string, mend: string): Finding => ({ level: 'problem', subject, says, mend });

const rank = { problem: 0, warning: 1, ok: 2 } as const;

/** Problems first, then warnings; the order within a level stays. */
export const bySeverity = (findings: readonly Finding[]): readonly Finding[] => [...findings].sort((a, b) => rank[a.level] - rank[b.level]);
