import { formatSeconds, hours } from '../functions/common/duration.ts';
import type { Operations } from '../functions/common/operations.ts';
import type { ConfigProblem } from './invalid-config.ts';
import { regionSets, witnessFor } from './region-sets.ts';
import { type Checked, problem, type Rule, repeated } from './rule.ts';

/** The parts that a rule of failover speaks of, once they are sound and failover is not off. */
export interface Wanted {
  readonly failover: Operations['failover'];
  readonly regions: Operations['regions'];
}
type FailoverRule = (wanted: Wanted, config: Checked) => readonly ConfigProblem[];

const witnessKeepsTheMajority: FailoverRule = ({ failover: { witness }, regions: { primary, standby } }) => {
  const set = regionSets.find((each) => each.includes(primary) && each.includes(standby));
  if (set?.includes(witness) && witness !== primary && witness !== standby) return [];
  const sets = regionSets.map((each) => each.join(', ')).join(' · ');
  const possible = set?.filter((region) => region !== primary && region !== standby).join(' or ');
  return [
    problem(
      ['failover', 'witness'],
      witness,
      `a third Region of the same Region set as ${primary} and ${standby} (multi-Region strong consistency knows these sets: ${sets})`,
      possible
        ? `Write ${possible}.`
        : `Choose primary and standby from one set, or turn failover off (mode: 'off'): ${primary} and ${standby} cannot share a record that survives either.`,
    ),
  ];
};

/** Times that must be longer than others for the protocol to hold still in fair weather. The arithmetic is in the message. */
const timesFit: FailoverRule = ({ failover: { lease, observe } }) => {
  const rows: readonly (readonly [boolean, readonly string[], number, string, string])[] = [
    [lease.renewEvery > 0, ['lease', 'renewEvery'], lease.renewEvery, 'a second or more', 'Write seconds(3).'],
    [observe.every > 0, ['observe', 'every'], observe.every, 'a second or more', 'Write seconds(5).'],
    [observe.timeout > 0, ['observe', 'timeout'], observe.timeout, 'a second or more', 'Write seconds(2).'],
    [
      lease.length > 3 * lease.renewEvery,
      ['lease', 'length'],
      lease.length,
      `more than three renewals: 3 x ${formatSeconds(lease.renewEvery)} (lease.renewEvery) = ${formatSeconds(3 * lease.renewEvery)}`,
      'Raise it: the database must not close because two renewals were slow.',
    ],
    [
      lease.margin > 0 && lease.margin >= observe.timeout,
      ['lease', 'margin'],
      lease.margin,
      `at least observe.timeout, which is ${formatSeconds(observe.timeout)}: an observer's clock that is set forward may count so much too much`,
      'Raise it: it is what keeps two primaries apart when clocks are not exact.',
    ],
    [
      observe.voteMaxAge > 2 * observe.every,
      ['observe', 'voteMaxAge'],
      observe.voteMaxAge,
      `more than two looks: 2 x ${formatSeconds(observe.every)} (observe.every) = ${formatSeconds(2 * observe.every)}`,
      'Raise it: an observer must not fall silent because one of its looks was slow.',
    ],
    [
      observe.dwell >= observe.every,
      ['observe', 'dwell'],
      observe.dwell,
      `at least observe.every, which is ${formatSeconds(observe.every)}`,
      'Raise it: a majority must have agreed in two looks.',
    ],
  ];
  return rows.flatMap(([holds, path, got, wanted, change]) =>
    holds ? [] : [problem(['failover', ...path], formatSeconds(got), wanted, change)],
  );
};

/**
 * The machine looks for an answer every 5 s. One look is ten events, three questions can be asked one after the other, and Step Functions keeps 25 000 events of an
 * execution ("Service quotas", Step Functions Developer Guide): 3.4 h of waiting in all.
 */
export const longestExpiry = hours(1);

const questionsFitIntoAnExecution: FailoverRule = ({ failover: { approvals } }) =>
  approvals.expireAfter > 0 && approvals.expireAfter <= longestExpiry
    ? []
    : [
        problem(
          ['failover', 'approvals', 'expireAfter'],
          formatSeconds(approvals.expireAfter),
          `more than nothing, and at most ${formatSeconds(longestExpiry)}: Step Functions keeps 25 000 events of an execution, and the machine looks for an answer every few seconds`,
          'Write minutes(30). A plan that nobody answers in an hour describes what is long past: ask again.',
        ),
      ];

/** Without a replica of every database in the standby Region there is nowhere to go. */
const thereIsSomewhereToGo: FailoverRule = ({ regions: { standby } }, { databases }) =>
  databases.flatMap((database, index) =>
    database === undefined || (database.replica?.region === standby && database.sites[standby] !== undefined)
      ? []
      : [
          problem(
            ['databases', index, 'replica'],
            database.replica?.region,
            `a replica in the standby Region ${standby}, with a site there: failover moves all databases or none`,
            `Add replica: { region: '${standby}' } and sites['${standby}'], or turn failover off (failover: { mode: 'off' }).`,
          ),
        ],
  );

const somebodyAnswers: FailoverRule = ({ failover: { approvals, mode } }) =>
  approvals.by.length > 0
    ? []
    : [
        problem(
          ['failover', 'approvals', 'by'],
          approvals.by,
          mode === 'approve'
            ? "at least one principal who may approve: in mode 'approve' nothing moves without one"
            : "at least one principal who may approve: in mode 'automatic' too, when the loss would be over the budget",
          "List IAM roles or users, such as 'arn:aws:iam::111122223333:role/OnCall': two people, since nobody approves what they asked for.",
        ),
      ];

/** What is said by Region must be said of Regions that there are, and of both that can lead where both are needed. */
const placesExist: FailoverRule = ({ failover: { services, capacity, routing }, regions }) => {
  const own: readonly string[] = Object.values(regions);
  const foreign = (path: readonly PropertyKey[], places: Readonly<Record<string, unknown>>) =>
    Object.keys(places)
      .filter((region) => !own.includes(region))
      .map((region) =>
        problem(
          [...path, region],
          region,
          `a Region of this deployment: ${own.join(', ')}`,
          'Remove it, or name the Region under regions.',
        ),
      );
  const missing = (path: readonly PropertyKey[], places: Readonly<Record<string, unknown>>, why: string) =>
    [regions.primary, regions.standby]
      .filter((region) => places[region] === undefined)
      .map((region) => problem([...path, region], undefined, why, `Add it for ${region}: each of the two can lead.`));
  return [
    ...services.flatMap(({ health }, index) => foreign(['failover', 'services', index, 'health'], health)),
    ...services.flatMap(({ health, critical }, index) =>
      critical ? missing(['failover', 'services', index, 'health'], health, 'the health endpoint of a critical service') : [],
    ),
    ...capacity.flatMap(({ sites }, index) => foreign(['failover', 'capacity', index, 'sites'], sites)),
    ...(routing.dns ? missing(['failover', 'routing', 'dns', 'targets'], routing.dns.targets, 'where traffic goes in that Region') : []),
    ...(routing.arc ? missing(['failover', 'routing', 'arc', 'controls'], routing.arc.controls, 'the routing control of that Region') : []),
  ];
};

const namesDiffer: FailoverRule = ({ failover }) =>
  (['services', 'capacity'] as const).flatMap((list) =>
    repeated(failover[list].map(({ name }) => name)).map(({ value, index }) =>
      problem(['failover', list, index, 'name'], value, 'a name of its own for each', 'Rename it: votes and reports go by this name.'),
    ),
  );

/** A trigger that waits for more services than there are never fires, and nobody would know. */
const triggerCanFire: FailoverRule = ({ failover: { services, triggers } }) => {
  const critical = services.filter((service) => service.critical).length;
  const needed = triggers.criticalServicesUnhealthy;
  if (needed === null || critical === 0 || needed <= critical) return [];
  return [
    problem(
      ['failover', 'triggers', 'criticalServicesUnhealthy'],
      needed,
      `at most ${critical}: so many services are marked critical`,
      'Lower it, mark more services as critical, or write null to turn this trigger off.',
    ),
  ];
};

const rules: readonly FailoverRule[] = [
  witnessKeepsTheMajority,
  timesFit,
  thereIsSomewhereToGo,
  somebodyAnswers,
  questionsFitIntoAnExecution,
  placesExist,
  namesDiffer,
  triggerCanFire,
];

/** What must hold between the parts of `failover`, and between them and the deployment; nothing of it matters while it is off. */
export const failoverRules: Rule = (config) => {
  const { failover, regions } = config;
  if (failover === undefined || regions === undefined || failover.mode === 'off') return [];
  return rules.flatMap((rule) => rule({ failover, regions }, config));
};

/** What a deployment does that says nothing of failover: nothing at all where there is nowhere to go. */
export function failoverDefaults<F extends Operations['failover']>(
  defaults: F,
  regions: Readonly<Record<string, unknown>>,
  hasReplicas: boolean,
) {
  const witness = witnessFor(regions.primary, regions.standby);
  return { ...defaults, ...(witness === undefined ? {} : { witness }), ...(hasReplicas ? {} : { mode: 'off' }) };
}
