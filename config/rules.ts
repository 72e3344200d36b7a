import { formatSeconds } from '../functions/common/duration.ts';
import { auditRules } from './audit-rules.ts';
import { databaseRules } from './database-rules.ts';
import { drillsFallIntoWindows } from './drill-rules.ts';
import { failoverRules } from './failover-rules.ts';
import { incidentRules } from './incident-rules.ts';
import type { ConfigProblem } from './invalid-config.ts';
import { type Checked, problem, type Rule, repeated } from './rule.ts';

const regionsDiffer: Rule = ({ regions }) =>
  regions === undefined
    ? []
    : repeated(Object.values(regions)).map(({ value, index }) => {
        const role = Object.keys(regions)[index] ?? '';
        return problem(
          ['regions', role],
          value,
          'three different Regions',
          `Choose another Region as the ${role}: ${value} already has a role.`,
        );
      });

const databaseIdsDiffer: Rule = ({ databases }) =>
  repeated(databases.map((database, index) => database?.id ?? `#${index}`)).map(({ value, index }) =>
    problem(
      ['databases', index, 'id'],
      value,
      'an id of its own for each database',
      'Rename one of the two: backups and proofs are found by this id.',
    ),
  );

/** CloudWatch Logs accepts only these (PutRetentionPolicy, `retentionInDays`). */
const cloudWatchRetentionDays = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const logRetentionExists: Rule = ({ logRetentionDays }) =>
  Object.entries(logRetentionDays ?? {})
    .filter(([, days]) => !cloudWatchRetentionDays.includes(days))
    .map(([kind, days]) => {
      const next = cloudWatchRetentionDays.find((allowed) => allowed >= days) ?? 3653;
      const wanted = `a retention that CloudWatch Logs offers: ${cloudWatchRetentionDays.join(', ')}`;
      return problem(['logRetentionDays', kind], days, wanted, `Write ${next}.`);
    });

const vaultLockHolds: Rule = ({ vaultLock }) =>
  vaultLock === undefined || vaultLock.minRetention <= vaultLock.maxRetention
    ? []
    : [
        problem(
          ['vaultLock', 'minRetention'],
          formatSeconds(vaultLock.minRetention),
          `at most vaultLock.maxRetention, which is ${formatSeconds(vaultLock.maxRetention)}`,
          'Lower minRetention or raise maxRetention.',
        ),
      ];

/** AWS Backup keeps whole days. */
const vaultLockCountsDays: Rule = ({ vaultLock }) =>
  (['minRetention', 'maxRetention'] as const)
    .filter((key) => vaultLock !== undefined && (vaultLock[key] < 86_400 || vaultLock[key] % 86_400 !== 0))
    .map((key) =>
      problem(['vaultLock', key], formatSeconds(vaultLock?.[key] ?? 0), 'whole days, at least one', 'Write it with days(...).'),
    );

const rules: readonly Rule[] = [
  regionsDiffer,
  databaseIdsDiffer,
  logRetentionExists,
  vaultLockHolds,
  vaultLockCountsDays,
  failoverRules,
  drillsFallIntoWindows,
  incidentRules,
  auditRules,
];

/** What no single value can tell: the rules between the parts of a config. */
export function ruleProblems(config: Checked): ConfigProblem[] {
  const ofDatabases = config.databases.flatMap((database, index) =>
    database === undefined ? [] : databaseRules.flatMap((rule) => rule(database, ['databases', index], config)),
  );
  return [...rules.flatMap((rule) => rule(config)), ...ofDatabases];
}
