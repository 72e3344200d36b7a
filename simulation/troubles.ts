import type { Region } from '../functions/common/ids.ts';
import { candidates, operatedRegions, primary, standby, tertiary, witness } from './operations.ts';
import type { Random } from './random.ts';
import type { Fault, HandAct } from './scenario.ts';
import { type Micros, toMicros } from './virtual-time.ts';

/** Which troubles are on in a run: swarm testing (Groce and others, 2012): a few at a time find more than all at once. */
export interface Troubles {
  readonly title: string;
  readonly faults: readonly Fault[];
  readonly acts?: readonly HandAct[];
  readonly nothingMoves?: boolean;
  readonly nothingRefused?: boolean;
  readonly endsIn?: Region;
}

/** Guardians have renewed by then, and schedules overlap soon. */
const beginning = (random: Random): Micros => toMicros(random.between(4, 17));
const during = (random: Random, at: Micros, from: number, to: number): { at: Micros; until: Micros } => ({
  at,
  until: at + toMicros(random.between(from, to)),
});

export const troubleKinds: readonly (readonly [number, (random: Random) => Troubles])[] = [
  [20, regionLost],
  [24, partition],
  [6, databaseStopped],
  [10, servicesSick],
  [14, plannedChange],
  [14, replacement],
  [5, oneObserver],
  [5, twoObserversInTurn],
  [4, oneGuardian],
  [4, witnessLost],
  [3, standbyLost],
  [3, standbyCutOff],
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
    faults: [
      { kind: 'database-stopped', region: primary, which: random.pick(['all', 'the second']), ...during(random, beginning(random), 3, 70) },
    ],
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

/**
 * A damaged database is replaced, with one more trouble on the way or afterwards. One in seven is asked for so soon that a lease which the copy inherits may run still,
 * and must be refused. What is lost for good is lost afterwards: a Region that is lost while a database of it is being replaced must come back (ADR 6).
 */
function replacement(random: Random): Troubles {
  const second = random.between(34, 60);
  const at = toMicros(second);
  const back = random.chance(0.15) ? random.pick([0.2, random.between(0.2, 29)]) : random.between(31, Math.max(31.5, second));
  const onTheWay = (): { at: Micros; until: Micros } => during(random, at + toMicros(random.between(-4, 45)), 3, 60);
  const afterwards = toMicros(second + random.between(70, 130));
  const faults = random.weighted<() => readonly Fault[]>([
    [5, () => []],
    [2, () => [{ kind: 'region-lost', region: primary, ...onTheWay() }]],
    [2, () => [{ kind: 'database-stopped', region: primary, which: random.pick(['all', 'the second']), ...onTheWay() }]],
    [2, () => [{ kind: 'guardian-dead', region: random.pick(candidates), ...onTheWay() }]],
    [1, () => [{ kind: 'observer-dead', region: random.pick(operatedRegions), ...onTheWay() }]],
    [2, () => cutOff(random, onTheWay())],
    [3, () => [{ kind: 'region-lost', region: primary, at: afterwards, until: undefined }]],
    [2, () => [{ kind: 'services-sick', region: primary, ...during(random, afterwards, 60, 90) }]],
  ])();
  return {
    title: 'a damaged database is replaced',
    faults,
    acts: [{ kind: 'replace', at, back: toMicros(back), which: random.pick(['the first', 'the second']) }],
  };
}

/** The primary from some of the others. */
function cutOff(random: Random, window: { readonly at: Micros; readonly until: Micros }): readonly Fault[] {
  const others = random.pick<readonly Region[]>([[standby], [tertiary], [standby, tertiary], [standby, tertiary, witness]]);
  return others.map((other): Fault => ({ kind: 'cut', between: [primary, other], ...window }));
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

/** The standby and everything in it is cut off from all others. */
function standbyCutOff(random: Random): Troubles {
  const window = during(random, beginning(random), 20, 60);
  const faults = [primary, tertiary, witness].map((other): Fault => ({ kind: 'cut', between: [standby, other], ...window }));
  return { title: 'the standby is cut off', faults, nothingMoves: true, nothingRefused: true };
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
    () => ({ kind: 'database-stopped', region: random.pick(candidates), which: random.pick(['all', 'the second']), ...window() }),
    () => ({ kind: 'services-sick', region: random.pick(candidates), ...window() }),
    () => ({ kind: 'fence-incomplete', region: primary, ...window() }),
    // The Region that takes over is lost on the way. Only where the primary is not lost itself: one Region at a time is what is promised.
    () =>
      first.faults.some(({ kind }) => kind === 'region-lost' || kind === 'cut')
        ? { kind: 'observer-dead', region: standby, ...window() }
        : { kind: 'region-lost', region: standby, ...window() },
  ])();
  return { ...first, title: `${first.title}; ${second.kind}`, faults: [...first.faults, second] };
}
