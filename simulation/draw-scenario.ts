import type { Region } from '../functions/common/ids.ts';
import type { ClockError } from './machine-clock.ts';
import type { Weather } from './network.ts';
import { candidates, operatedRegions, primary, standby, tertiary, witness } from './operations.ts';
import type { Random } from './random.ts';
import type { AimedInterruption, Answer, Fault, HandAct, Scenario } from './scenario.ts';
import { type Micros, toMicros } from './virtual-time.ts';

/** What the error of clocks and the time of a commit may add up to, of the 10 s of `lease.margin`; the rest is drift (below 0.3 s in all). */
const marginBudget = 9.6;

/** Which troubles are on in a run: swarm testing (Groce and others, 2012): a few at a time find more than all at once. */
interface Troubles {
  readonly title: string;
  readonly faults: readonly Fault[];
  readonly acts?: readonly HandAct[];
  readonly nothingMoves?: boolean;
  readonly nothingRefused?: boolean;
  readonly endsIn?: Region;
}

export function drawScenario(random: Random): Scenario {
  const troubles = random.weighted(kinds)(random.fork('faults'));
  const swarm = random.fork('swarm');
  // What is said of a single failure does not hold of two.
  const alone = troubles.nothingMoves === true || troubles.nothingRefused === true;
  const wild = !alone && swarm.chance(0.06);
  const weather = !alone && swarm.chance(0.25) ? drawWeather(random.fork('weather')) : undefined;
  const interruptions = alone ? [] : drawInterruptions(random.fork('interruptions'), troubles);
  const acts = [...(troubles.acts ?? []), ...(alone ? [] : drawActs(random.fork('acts'), troubles))];
  const answers = swarm.chance(0.7) ? [] : drawAnswers(random.fork('answers'));
  const onlyCrashes = !weather && acts.length === 0 && answers.length === 0 && !wild && interruptions.every(({ who }) => who === 'step');
  const faults = [...troubles.faults, ...(alone ? [] : drawReplicaTrouble(random.fork('replica')))];
  return {
    title: troubles.title,
    policy: { mode: swarm.chance(0.15) ? 'approve' : 'automatic', budgetSeconds: swarm.pick([5, 60, 300]) },
    coldStart: swarm.chance(0.03),
    ...drawClocks(random.fork('clocks'), wild),
    replicationLag: toMicros(
      swarm.weighted([
        [6, 0.05],
        [2, 0.5],
        [1, 3],
      ]),
    ),
    longTransactions: swarm.chance(0.5) ? 0.2 : 0.02,
    weather,
    faults,
    acts,
    answers,
    interruptions,
    firedTwice: swarm.chance(0.2) ? 0.3 : 0,
    expects: {
      nothingMoves: troubles.nothingMoves ?? false,
      nothingRefused: troubles.nothingRefused ?? false,
      endsIn: onlyCrashes ? troubles.endsIn : undefined,
      saneClocks: !wild,
    },
    quietFrom: Math.max(0, weather?.until ?? 0, ...faults.map(({ at, until }) => until ?? at), ...acts.map(({ at }) => at)),
  };
}

/** Guardians have renewed by then, and schedules overlap soon. */
const beginning = (random: Random): Micros => toMicros(random.between(4, 17));
const during = (random: Random, at: Micros, from: number, to: number): { at: Micros; until: Micros } => ({
  at,
  until: at + toMicros(random.between(from, to)),
});

const kinds: readonly (readonly [number, (random: Random) => Troubles])[] = [
  [20, regionLost],
  [24, partition],
  [6, databaseStopped],
  [10, servicesSick],
  [14, plannedChange],
  [5, oneObserver],
  [5, twoObserversInTurn],
  [4, oneGuardian],
  [4, witnessLost],
  [3, standbyLost],
  [5, anything],
];

function regionLost(random: Random): Troubles {
  const at = beginning(random);
  const until = random.chance(0.5) ? at + toMicros(random.between(2, 80)) : undefined;
  return {
    title: 'the primary Region is lost',
    faults: [{ kind: 'region-lost', region: primary, at, until }],
    ...(until === undefined ? { endsIn: standby } : {}),
  };
}

/** The primary is cut off from some of the others; one that keeps the witness keeps the table. */
function partition(random: Random): Troubles {
  const at = beginning(random);
  const window = during(random, at, 5, 80);
  const others = random.weighted<readonly Region[]>([
    [5, [standby, tertiary, witness]],
    [2, [standby, witness]],
    [2, [standby, tertiary]],
    [1, [standby]],
    [1, [tertiary, witness]],
  ]);
  return {
    title: `the primary is cut off from ${others.join(', ')}`,
    faults: others.map((other) => ({ kind: 'cut', between: [primary, other], ...window })),
  };
}

function databaseStopped(random: Random): Troubles {
  return {
    title: 'the database stops',
    faults: [{ kind: 'database-stopped', region: primary, ...during(random, beginning(random), 3, 70) }],
  };
}

/** The database is well, its guardians renew: the failover takes a living primary away. */
function servicesSick(random: Random): Troubles {
  return {
    title: 'the services are sick',
    faults: [{ kind: 'services-sick', region: primary, ...during(random, beginning(random), 10, 70) }],
  };
}

function plannedChange(random: Random): Troubles {
  return { title: 'a planned change', faults: [], acts: [{ kind: 'switch-over', at: toMicros(random.between(7, 25)) }] };
}

/** P6: one observer is cut off, dead or flaps. */
function oneObserver(random: Random): Troubles {
  const region = random.pick(operatedRegions);
  return {
    title: `only the observer in ${region} has trouble`,
    faults: [observerTrouble(random, region, during(random, beginning(random), 10, 70))],
    nothingMoves: true,
  };
}

function observerTrouble(random: Random, region: Region, window: { at: Micros; until: Micros }): Fault {
  // To cut the standby or the primary off takes more than an observer away.
  if (region === tertiary && random.chance(0.5)) return { kind: 'cut', between: [tertiary, primary], ...window };
  return random.chance(0.2)
    ? { kind: 'observer-dead', region, ...window }
    : { kind: 'observer-flaps', region, probability: random.pick([0.4, 0.8, 1]), ...window };
}

/** P6: first one observer says that it sees nothing, and falls silent; later another one does. Never two at a time. */
function twoObserversInTurn(random: Random): Troubles {
  const [first, second] = random.chance(0.5) ? [tertiary, standby] : [standby, tertiary];
  const at = beginning(random);
  const silentFrom = at + toMicros(random.between(20, 30));
  const again = silentFrom + toMicros(random.between(32, 45)); // a vote counts for 20 s
  const until = again + toMicros(random.between(20, 30));
  return {
    title: `the observer in ${first} has trouble and falls silent, then the one in ${second}`,
    faults: [
      { kind: 'observer-flaps', region: first, probability: 1, at, until: silentFrom + toMicros(6) },
      { kind: 'observer-dead', region: first, at: silentFrom, until },
      { kind: 'observer-flaps', region: second, probability: 1, at: again, until },
    ],
    nothingMoves: true,
  };
}

/** P7. */
function oneGuardian(random: Random): Troubles {
  const region = random.pick(candidates);
  const faults: Fault[] = [{ kind: 'guardian-dead', region, ...during(random, beginning(random), 20, 60) }];
  return { title: `the guardian in ${region} is dead`, faults, nothingMoves: true, nothingRefused: true };
}

/** P7. */
function witnessLost(random: Random): Troubles {
  const faults: Fault[] = [{ kind: 'region-lost', region: witness, ...during(random, beginning(random), 20, 60) }];
  return { title: 'the witness is lost', faults, nothingMoves: true, nothingRefused: true };
}

function standbyLost(random: Random): Troubles {
  const faults: Fault[] = [{ kind: 'region-lost', region: standby, ...during(random, beginning(random), 20, 60) }];
  return { title: 'the standby is lost', faults, nothingMoves: true, nothingRefused: true };
}

/** Two troubles of any kind; at most one Region is away at a time, which is all that is promised. */
function anything(random: Random): Troubles {
  const first = random.pick([regionLost, partition, databaseStopped, servicesSick, plannedChange])(random.fork('first'));
  const window = () => during(random, toMicros(random.between(10, 80)), 3, 60);
  const second = random.pick<() => Fault>([
    () => ({ kind: 'guardian-dead', region: random.pick(candidates), ...window() }),
    () => ({ kind: 'observer-dead', region: random.pick(operatedRegions), ...window() }),
    () => ({ kind: 'observer-flaps', region: random.pick(operatedRegions), probability: 0.7, ...window() }),
    () => ({ kind: 'cut', between: [standby, tertiary], ...window() }),
    () => ({ kind: 'database-stopped', region: random.pick(candidates), ...window() }),
    () => ({ kind: 'services-sick', region: random.pick(candidates), ...window() }),
    () => ({ kind: 'fence-incomplete', region: primary, ...window() }),
  ])();
  return { ...first, title: `${first.title}; ${second.kind}`, faults: [...first.faults, second] };
}

/** The replica is behind by more than the budget, or not. */
function drawReplicaTrouble(random: Random): Fault[] {
  if (!random.chance(0.2)) return [];
  const at = toMicros(random.between(2, 15));
  return [
    { kind: 'replica-slow', region: standby, lag: toMicros(random.pick([2, 8, 30])), at, until: at + toMicros(random.between(20, 120)) },
  ];
}

function drawActs(random: Random, { acts = [], faults }: Troubles): HandAct[] {
  const drawn: HandAct[] = [];
  if (acts.length === 0 && random.chance(0.08)) drawn.push({ kind: 'switch-over', at: toMicros(random.between(8, 60)) });
  if (random.chance(0.15)) drawn.push({ kind: 'stop-execution', at: toMicros(random.between(20, 100)) });
  if (random.chance(0.04)) drawn.push({ kind: 'hold', at: toMicros(random.between(3, 40)), for: toMicros(random.between(10, 60)) });
  const comesBack = faults.every(({ until }) => until !== undefined);
  if (comesBack && random.chance(0.12)) {
    const at = toMicros(random.between(90, 150));
    drawn.push({ kind: 'rebuild', at, takes: toMicros(random.between(20, 40)) });
    drawn.push({ kind: 'switch-over', at: at + toMicros(random.between(45, 80)) });
  }
  return drawn;
}

function drawAnswers(random: Random): Answer[] {
  return Array.from({ length: random.int(1, 3) }, () => ({
    after: toMicros(
      random.weighted([
        [4, random.between(1, 20)],
        [1, random.between(50, 90)],
      ]),
    ),
    answer: random.chance(0.6) ? 'approved' : 'rejected',
    by: random.weighted<Answer['by']>([
      [4, 'somebody'],
      [2, 'the-requester'],
      [1, 'a-stranger'],
    ]),
  }));
}

/** The calls that the safety of the protocol turns on. */
const delicate = {
  guardian: ['coordination.replace', 'fence.renew', 'fence.clock', 'coordination.read', 'fence.close', 'coordination.putReceipt'],
  step: ['coordination.replace', 'coordination.read', 'replicas.promote', 'fence.renew', 'fence.clock', 'audit'],
} as const;

/**
 * Runs that die or stand still: anywhere, or at a delicate call. Guardians are aimed at about when the trouble begins: a renewal that is under way then is
 * what may come too late.
 */
function drawInterruptions(random: Random, { faults }: Troubles): AimedInterruption[] {
  const drawn: AimedInterruption[] = [];
  const length = () =>
    toMicros(
      random.weighted([
        [2, random.between(0.2, 6)],
        [3, random.between(6, 45)],
      ]),
    );
  const what = (dies: number) => (random.chance(dies) ? ({ kind: 'dies' } as const) : ({ kind: 'freezes', for: length() } as const));
  const when = () => (random.chance(0.5) ? 'before' : 'after');
  if (random.chance(0.4)) {
    for (let count = random.int(1, 3); count > 0; count--) {
      const aim = random.chance(0.5) ? { call: random.int(1, 8) } : { on: random.pick(delicate.step), call: 1 };
      drawn.push({ who: 'step', nth: random.int(1, 22), interruption: { ...aim, when: when(), what: what(0.6) } });
    }
  }
  if (random.chance(0.45)) {
    const troubleAt = (faults[0]?.at ?? toMicros(20)) / toMicros(1);
    for (let count = random.int(1, 2); count > 0; count--) {
      const renewal = Math.max(1, Math.round((troubleAt + random.between(-12, 3)) / 6)); // one each 6 s
      const aim = random.chance(0.3) ? { call: random.int(4, 60) } : { on: random.pick(delicate.guardian), call: renewal };
      drawn.push({ who: `guard-lease ${random.pick(candidates)}`, nth: 1, interruption: { ...aim, when: when(), what: what(0.15) } });
    }
  }
  if (random.chance(0.15)) {
    const who = `observe-regions ${random.pick(operatedRegions)}`;
    drawn.push({ who, nth: random.int(1, 2), interruption: { call: random.int(4, 100), when: when(), what: what(0.4) } });
  }
  return drawn;
}

function drawWeather(random: Random): Weather {
  const from = toMicros(random.between(0, 40));
  return {
    from,
    until: from + toMicros(random.between(10, 80)),
    loss: random.pick([0, 0.03, 0.12]),
    late: random.pick([0, 0.02, 0.15]),
    delay: toMicros(random.pick([1, 4, 30])),
    repeated: random.pick([0, 0.05, 0.2]),
  };
}

/**
 * Errors that the margin allows: in all, the steps of the clocks that a wait depends on, and the time a commit takes, are within it. Where a
 * run is `wild`, Regions are a minute apart, which must not matter to what the databases accept.
 */
function drawClocks(random: Random, wild: boolean): Pick<Scenario, 'regionClocks' | 'databaseClocks' | 'commitTakes'> {
  const shares = [standby, tertiary, 'database', 'commit'].map((name) => ({ name, weight: random.chance(0.5) ? random.next() : 0 }));
  const total =
    Math.max(
      1,
      shares.reduce((sum, { weight }) => sum + weight, 0),
    ) / (random.chance(0.5) ? marginBudget : random.between(0, marginBudget));
  const share = (name: string) => toMicros((shares.find((each) => each.name === name)?.weight ?? 0) / total);
  const drift = () => random.between(-0.002, 0.002);
  const stepAt = () => toMicros(random.between(5, 80));
  const offset = () => toMicros(wild ? random.between(-60, 60) : random.between(-0.05, 0.05));
  const clock = (by: Micros): ClockError => ({ offset: offset(), drift: drift(), ...(by === 0 ? {} : { step: { at: stepAt(), by } }) });
  const regionClocks = new Map<Region, ClockError>([
    [primary, clock(0)],
    [standby, clock(share(standby))],
    [tertiary, clock(share(tertiary))],
  ]);
  const databaseStep = share('database') * (random.chance(0.7) ? -1 : 1);
  const databaseClocks = new Map<Region, ClockError>(candidates.map((region) => [region, clock(databaseStep)]));
  return { regionClocks, databaseClocks, commitTakes: share('commit') + 2_000 };
}
