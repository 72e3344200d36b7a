import type { Databases } from '../backup/ports.ts';
import { CodeblueError } from '../common/errors.ts';
import type { Operations } from '../common/operations.ts';
import { accountFindings } from './account-findings.ts';
import { readAccount } from './account-report.ts';
import { configFindings } from './config-findings.ts';
import { bySeverity, type Finding, problem } from './finding.ts';
import type { AccountFacts } from './ports.ts';

export interface Examination {
  /** False when there were no credentials: then the findings are about the config alone. */
  readonly accountExamined: boolean;
  /** Problems first. */
  readonly findings: readonly Finding[];
}

/** Examines a config and, when an account is given and lets itself be asked, the account. Changes nothing. */
export async function examine(
  operations: Operations,
  now: Date,
  account?: { readonly facts: AccountFacts; readonly databases: Pick<Databases, 'describe'> },
): Promise<Examination> {
  const ofConfig = configFindings(operations, now, { forLab: account === undefined });
  if (account === undefined) return { accountExamined: false, findings: bySeverity(ofConfig) };
  try {
    const report = await readAccount(account.facts, account.databases, operations);
    const ofAccount = report ? accountFindings(operations, report) : [];
    return { accountExamined: report !== undefined, findings: bySeverity([...ofConfig, ...ofAccount]) };
  } catch (error) {
    if (!(error instanceof CodeblueError)) throw error;
    const finding = problem(
      'account',
      `the account could not be asked: ${error.message}`,
      error.hint ?? 'Sign in again, then run doctor again.',
    );
    return { accountExamined: false, findings: bySeverity([...ofConfig, finding]) };
  }
}
