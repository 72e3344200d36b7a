import type { AuditPolicy } from '../functions/common/audit-policy.ts';
import type { ConfigProblem } from './invalid-config.ts';
import { type Checked, problem, type Rule, repeated } from './rule.ts';

type AuditRule = (audit: AuditPolicy, config: Checked) => readonly ConfigProblem[];

const quorumCanBeHad: AuditRule = ({ witnesses: { use, quorum } }) =>
  quorum <= use.length
    ? []
    : [
        problem(
          ['audit', 'witnesses', 'quorum'],
          quorum,
          `at most the number of witnesses, which is ${use.length}`,
          'Name more witnesses or lower the quorum: no checkpoint would ever be published.',
        ),
      ];

/** One that is named twice would count for two. */
const witnessesDiffer: AuditRule = ({ witnesses: { use } }) =>
  repeated(use.map(({ verifierKey }) => verifierKey)).map(({ index }) =>
    problem(
      ['audit', 'witnesses', 'use', index, 'verifierKey'],
      use[index]?.verifierKey,
      'a witness of its own: this one is named before',
      'Remove it.',
    ),
  );

/** The log is the record; what functions write about it explains it, and must not outlive it. A lock in governance mode is for trying things out. */
const recordOutlivesItsExplanation: AuditRule = ({ retention: { mode, days } }, { logRetentionDays }) =>
  mode === 'governance' || logRetentionDays === undefined || days >= logRetentionDays.audit
    ? []
    : [
        problem(
          ['audit', 'retention', 'days'],
          days,
          `at least logRetentionDays.audit, which is ${logRetentionDays.audit}`,
          `Write ${logRetentionDays.audit}, or lower logRetentionDays.audit. Nobody can shorten a lock of compliance mode afterwards.`,
        ),
      ];

const actionsDiffer: AuditRule = ({ actions }) =>
  repeated(actions).map(({ value, index }) =>
    problem(['audit', 'actions', index], value, 'an action that is not in the list already', 'Remove it.'),
  );

const rules: readonly AuditRule[] = [quorumCanBeHad, witnessesDiffer, recordOutlivesItsExplanation, actionsDiffer];

export const auditRules: Rule = (config) => {
  const { audit } = config;
  return audit === undefined ? [] : rules.flatMap((rule) => rule(audit, config));
};
