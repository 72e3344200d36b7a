import { formatSeconds, secondsBetween } from '../common/duration.ts';
import type { IncidentPolicy } from '../common/incident-policy.ts';
import { type CoverageGap, coverageGaps } from '../incidents/on-call/coverage.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** What the config tells about who is told. Nothing while alarms go by mail: nothing of it is used then. */
export function incidentConfigFindings(policy: IncidentPolicy, now: Date): readonly Finding[] {
  if (policy.mode === 'off') return [];
  const found = [...gapFindings(policy, now), ...personFindings(policy), ...policyFindings(policy), ...unusedSchedules(policy)];
  return found.length > 0
    ? found
    : [ok('incidents', 'somebody is on duty at every moment of the coming year, and can be reached in two ways')];
}

/** `2026-03-07 22:00 to 2026-03-08 06:00 UTC (8 h), and 51 more times`: in the words of doctor and of the refusal at synth. */
export function describeGaps([first, ...others]: readonly CoverageGap[]): string {
  if (!first) return 'none';
  const utc = (date: Date) => date.toISOString().slice(0, 16).replace('T', ' ');
  const more = others.length === 0 ? '' : `, and ${others.length} more ${others.length === 1 ? 'time' : 'times'}`;
  return `from ${utc(first.from)} to ${utc(first.until)} UTC (${formatSeconds(secondsBetween(first.from, first.until))})${more}`;
}

export const mendGaps =
  'Add a layer that is always on duty, or name a person in the step besides the schedule. `codeblue oncall show` lists the turns.';

/** Gaps by the step that they are of, with its path in the config. */
export function gapsByStep(policy: IncidentPolicy, now: Date): readonly { readonly path: string; readonly gaps: readonly CoverageGap[] }[] {
  const gaps = coverageGaps(policy, now);
  return policy.policies.flatMap(({ id, steps }, index) =>
    steps.flatMap((_, step) => {
      const own = gaps.filter((gap) => gap.policy === id && gap.step === step);
      return own.length > 0 ? [{ path: `incidents.policies[${index}].steps[${step}]`, gaps: own }] : [];
    }),
  );
}

const gapFindings = (policy: IncidentPolicy, now: Date): readonly Finding[] =>
  gapsByStep(policy, now).map(({ path, gaps }) => problem(path, `nobody is on duty ${describeGaps(gaps)}`, mendGaps));

/** What is in one hand fails at once: two addresses of one kind are one channel. */
const personFindings = ({ people }: IncidentPolicy): readonly Finding[] =>
  people.flatMap(({ id, urgent }, index) => {
    const kinds = [...new Set(urgent.map(({ kind }) => kind))];
    if (kinds.length > 1) return [];
    return [
      warning(
        `incidents.people[${index}].urgent`,
        `${id} is reached by ${kinds.join()} alone: when that channel fails, a page of severity 1 waits for the next step`,
        'Add a way of another kind, such as sms or pagerduty.',
      ),
    ];
  });

const policyFindings = ({ policies, severities, linkLasts }: IncidentPolicy): readonly Finding[] =>
  policies.flatMap(({ steps, repeats }, index) => {
    const found: Finding[] = [];
    const path = `incidents.policies[${index}]`;
    const [first] = steps;
    const { respondWithin, name } = severities[1];
    if (first && first.wait >= respondWithin) {
      const says = `the first step waits ${formatSeconds(first.wait)}, and ${name} is to be answered within ${formatSeconds(respondWithin)}: nobody else is told before that is missed`;
      found.push(warning(`${path}.steps[0].wait`, says, 'Shorten it.'));
    }
    if (steps.length === 1 && repeats === 0) {
      found.push(
        warning(
          `${path}.steps`,
          'one step, never repeated: who does not answer the first page is not told again',
          'Add a step, or repeats.',
        ),
      );
    }
    const longest = Math.max(...steps.map(({ wait }) => wait));
    if (longest > linkLasts) {
      const says = `is ${formatSeconds(linkLasts)}, shorter than a step's wait of ${formatSeconds(longest)}: the link is over while its page is the newest one`;
      found.push(warning('incidents.linkLasts', says, 'Raise it to the longest wait.'));
    }
    return found;
  });

const unusedSchedules = ({ schedules, policies }: IncidentPolicy): readonly Finding[] =>
  schedules.flatMap(({ id }, index) => {
    const used = policies.some(({ steps }) =>
      steps.some(({ notify }) => notify.some((target) => 'schedule' in target && target.schedule === id)),
    );
    return used
      ? []
      : [warning(`incidents.schedules[${index}]`, `no policy names ${id}: nobody on it is ever told`, 'Name it in a step, or remove it.')];
  });
