import { days, formatSeconds, hours } from '../functions/common/duration.ts';
import type { IncidentRule } from './incident-rules.ts';
import { problem } from './rule.ts';

/** The looks whether it helped are events of an execution, which holds 25 000. */
const longestEffect = hours(6);
/** So long is kept what ran (functions/incidents/runbooks/history.ts). */
const longestPeriod = days(30);
/** The looks for an answer are events too. */
const longestQuestion = hours(24);

const at = (index: number, ...rest: readonly PropertyKey[]) => ['incidents', 'runbooks', index, ...rest];

const timesOfRunbooksFit: IncidentRule = ({ runbooks }) =>
  runbooks.flatMap(({ helpsWithin, guard }, index) => [
    ...(helpsWithin > longestEffect
      ? [problem(at(index, 'helpsWithin'), formatSeconds(helpsWithin), `at most ${formatSeconds(longestEffect)}`, 'Lower it.')]
      : []),
    ...(guard.per > longestPeriod
      ? [problem(at(index, 'guard', 'per'), formatSeconds(guard.per), `at most ${formatSeconds(longestPeriod)}`, 'Lower it.')]
      : []),
  ]);

/** Questions and answers are kept in the table of who leads, where people answer with rights of their own. */
const somebodyCanApprove: IncidentRule = ({ runbooks }, { failover }) => {
  if (failover === undefined) return [];
  const asking = runbooks.findIndex(({ guard }) => guard.approval);
  if (asking < 0) return [];
  const problems = [];
  if (failover.mode === 'off') {
    problems.push(
      problem(
        at(asking, 'guard', 'approval'),
        true,
        'false while failover.mode is off',
        'Answers are kept where the lead is kept: turn failover on, or ask nobody.',
      ),
    );
  }
  if (failover.approvals.expireAfter > longestQuestion) {
    const wanted = `at most ${formatSeconds(longestQuestion)} where an automated runbook asks`;
    problems.push(problem(['failover', 'approvals', 'expireAfter'], formatSeconds(failover.approvals.expireAfter), wanted, 'Lower it.'));
  }
  return problems;
};

/** What could never act. */
const runbooksCanAct: IncidentRule = ({ runbooks }, { databases, failover }) =>
  runbooks.flatMap(({ action }, index) => {
    if (action.kind === 'enlarge-storage') {
      const database = databases.find((each) => each?.id === action.database);
      return database?.engine === 'aurora-postgres'
        ? [
            problem(
              at(index, 'action', 'database'),
              action.database,
              'a database of RDS',
              "Take it out: an Aurora cluster's storage grows by itself.",
            ),
          ]
        : [];
    }
    if (action.kind !== 'scale-out') return [];
    const capacity = failover?.capacity.find(({ name }) => name === action.capacity);
    return capacity && action.atMost <= capacity.active
      ? [
          problem(
            at(index, 'action', 'atMost'),
            action.atMost,
            `more than ${capacity.active}, at which ${action.capacity} runs anyway`,
            'Raise it.',
          ),
        ]
      : [];
  });

/** What automated runbooks need besides names that are known (incident-rules.ts). */
export const runbookRules: readonly IncidentRule[] = [timesOfRunbooksFit, somebodyCanApprove, runbooksCanAct];
