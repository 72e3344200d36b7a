import { formatSeconds } from '../functions/common/duration.ts';
import type { IncidentPolicy, Severity } from '../functions/common/incident-policy.ts';
import { severities } from '../functions/common/incident-policy.ts';
import type { ConfigProblem } from './invalid-config.ts';
import { nearest } from './nearest.ts';
import { rotationRules } from './rotation-rules.ts';
import { type Checked, problem, type Rule, repeated } from './rule.ts';
import { runbookRules } from './runbook-rules.ts';

export type IncidentRule = (policy: IncidentPolicy, config: Checked) => readonly ConfigProblem[];

type Path = readonly PropertyKey[];

const ids = (things: readonly { readonly id: string }[]): readonly string[] => things.map(({ id }) => id);

const idsDiffer: IncidentRule = (policy) =>
  (['people', 'schedules', 'policies', 'services', 'integrations', 'runbooks'] as const).flatMap((list) =>
    repeated(ids(policy[list])).map(({ value, index }) =>
      problem(['incidents', list, index, 'id'], value, `an id of its own for each of incidents.${list}`, 'Rename one of the two.'),
    ),
  );

/** A key says who asks: two integrations with one would be one. */
const keysDiffer: IncidentRule = ({ integrations }) =>
  repeated(integrations.map(({ keySha256 }) => keySha256)).map(({ value, index }) =>
    problem(['incidents', 'integrations', index, 'keySha256'], value, 'a key of its own for each integration', 'Make another key.'),
  );

/** A name must be one of those that there are. */
function known(path: Path, name: string, what: string, names: readonly string[]): readonly ConfigProblem[] {
  if (names.includes(name)) return [];
  const meant = nearest(name, names);
  const there = names.length === 0 ? 'there is none' : names.join(', ');
  const change = meant === undefined ? `Name one that there is, or add ${name} there.` : `Did you mean ${meant}?`;
  return [problem(path, name, `one of ${what}: ${there}`, change)];
}

const namesAreKnown: IncidentRule = (policy) => {
  const [people, schedules, policies] = [ids(policy.people), ids(policy.schedules), ids(policy.policies)];
  const at = (...rest: Path): Path => ['incidents', ...rest];
  return [
    ...policy.schedules.flatMap(({ layers }, schedule) =>
      layers.flatMap((layer, index) =>
        layer.people.flatMap((person, which) =>
          known(at('schedules', schedule, 'layers', index, 'people', which), person, 'incidents.people', people),
        ),
      ),
    ),
    ...policy.policies.flatMap(({ steps }, index) =>
      steps.flatMap(({ notify }, step) =>
        notify.flatMap((target, which) => {
          const path = at('policies', index, 'steps', step, 'notify', which);
          return 'person' in target
            ? known([...path, 'person'], target.person, 'incidents.people', people)
            : known([...path, 'schedule'], target.schedule, 'incidents.schedules', schedules);
        }),
      ),
    ),
    ...known(at('defaultPolicy'), policy.defaultPolicy, 'incidents.policies', policies),
    ...policy.services.flatMap((service, index) => known(at('services', index, 'policy'), service.policy, 'incidents.policies', policies)),
    ...policy.integrations.flatMap(({ service }, index) =>
      known(at('integrations', index, 'service'), service, 'incidents.services', ids(policy.services)),
    ),
  ];
};

/** Automated runbooks act on what the deployment has. */
const runbooksHaveSomethingToActOn: IncidentRule = ({ runbooks }, { databases, failover }) =>
  runbooks.flatMap(({ action }, index) => {
    const path = ['incidents', 'runbooks', index, 'action'];
    if ('capacity' in action) {
      return failover
        ? known(
            [...path, 'capacity'],
            action.capacity,
            'failover.capacity',
            failover.capacity.map(({ name }) => name),
          )
        : [];
    }
    const names = databases.flatMap((database) => database?.id ?? []);
    return databases.includes(undefined) ? [] : known([...path, 'database'], action.database, 'databases', names);
  });

/** A way to reach somebody that goes through an account of the deployment wants that account. */
const channelsAreSetUp: IncidentRule = ({ people, channels }) => {
  const accounts = [
    { kind: 'pagerduty', key: 'pagerdutyRoutingKeySecretArn' },
    { kind: 'slack', key: 'slackWebhookSecretArn' },
  ] as const;
  return accounts.flatMap(({ kind, key }) => {
    const user = people.find(({ urgent, calm }) => [...urgent, ...(calm ?? [])].some((method) => method.kind === kind));
    if (!user || channels[key] !== undefined) return [];
    return [
      problem(
        ['incidents', 'channels', key],
        undefined,
        `the secret that ${kind} is reached with: ${user.id} is to be told by it`,
        `Add it, or take ${kind} out of the ways to reach people.`,
      ),
    ];
  });
};

/** People that a policy can come to tell, over all its steps. */
function reachable({ schedules }: IncidentPolicy, steps: IncidentPolicy['policies'][number]['steps']): ReadonlySet<string> {
  const targets = steps.flatMap(({ notify }) => notify);
  const names = targets.flatMap((target) =>
    'person' in target
      ? [target.person]
      : schedules.filter(({ id }) => id === target.schedule).flatMap(({ layers }) => layers.flatMap((layer) => layer.people)),
  );
  return new Set(names);
}

const enoughPeopleCanAnswer: IncidentRule = (policy) =>
  policy.policies.flatMap(({ steps, acknowledgements }, index) => {
    const there = reachable(policy, steps).size;
    return Object.entries(acknowledgements).flatMap(([severity, needed]) =>
      needed === undefined || needed <= there
        ? []
        : [
            problem(
              ['incidents', 'policies', index, 'acknowledgements', severity],
              needed,
              `at most ${there}: the steps of this policy tell so many different people`,
              'Lower it, or add people: nothing would ever count as answered.',
            ),
          ],
    );
  });

/** Lengths of time that must be longer than others, or than nothing. */
const timesFit: IncidentRule = (policy) => {
  const tooShort = (path: Path, got: number, least: number, wanted: string, change: string) =>
    got >= least ? [] : [problem(['incidents', ...path], formatSeconds(got), wanted, change)];
  const ofSeverity = (severity: Severity): readonly ConfigProblem[] => {
    const { respondWithin, resolveWithin, acknowledgementLasts } = policy.severities[severity];
    return [
      ...tooShort(['severities', severity, 'respondWithin'], respondWithin, 1, 'a second or more', 'Write minutes(15).'),
      ...tooShort(
        ['severities', severity, 'resolveWithin'],
        resolveWithin,
        respondWithin,
        `at least respondWithin, which is ${formatSeconds(respondWithin)}`,
        'Raise it: nothing is resolved before somebody answers.',
      ),
      ...tooShort(
        ['severities', severity, 'acknowledgementLasts'],
        acknowledgementLasts,
        1,
        'a second or more',
        'Write minutes(30): without it every acknowledgement is stale at once.',
      ),
    ];
  };
  return [
    ...severities.flatMap(ofSeverity),
    ...policy.policies.flatMap(({ steps }, index) =>
      steps.flatMap(({ wait }, step) =>
        tooShort(
          ['policies', index, 'steps', step, 'wait'],
          wait,
          1,
          'a second or more: the step before the next one begins',
          'Write minutes(5).',
        ),
      ),
    ),
    ...tooShort(['groupWithin'], policy.groupWithin, 1, 'a second or more', 'Write minutes(5).'),
    ...tooShort(
      ['linkLasts'],
      policy.linkLasts,
      1,
      'a second or more',
      'Write minutes(60): the link in a page would be over when it arrives.',
    ),
    ...tooShort(['flapping', 'quietFor'], policy.flapping.quietFor, 1, 'a second or more', 'Write minutes(15).'),
    ...policy.runbooks.flatMap(({ guard, helpsWithin }, index) => [
      ...tooShort(['runbooks', index, 'guard', 'per'], guard.per, 1, 'a second or more', 'Write hours(6).'),
      ...tooShort(['runbooks', index, 'helpsWithin'], helpsWithin, 1, 'a second or more', 'Write minutes(10).'),
    ]),
  ];
};

const rules: readonly IncidentRule[] = [
  idsDiffer,
  keysDiffer,
  namesAreKnown,
  runbooksHaveSomethingToActOn,
  ...runbookRules,
  channelsAreSetUp,
  enoughPeopleCanAnswer,
  timesFit,
  ...rotationRules,
];

/** What must hold between the parts of `incidents`, and between them and the deployment; nothing of it matters while alarms go by mail. */
export const incidentRules: Rule = (config) => {
  const { incidents } = config;
  if (incidents === undefined || incidents.mode === 'off') return [];
  return rules.flatMap((rule) => rule(incidents, config));
};
