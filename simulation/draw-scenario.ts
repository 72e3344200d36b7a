import { drawClocks } from './draw-clocks.ts';
import { drawDeaths, drawInterruptions } from './draw-interruptions.ts';
import type { Weather } from './network.ts';
import { standby } from './operations.ts';
import type { Random } from './random.ts';
import type { Answer, Fault, HandAct, Scenario } from './scenario.ts';
import { type Troubles, troubleKinds } from './troubles.ts';
import { toMicros } from './virtual-time.ts';

/** Everything that a run does not decide by itself, from the seed. */
export function drawScenario(random: Random): Scenario {
  const troubles = random.weighted(troubleKinds)(random.fork('faults'));
  const swarm = random.fork('swarm');
  // What is said of a single failure does not hold of two.
  const alone = troubles.nothingMoves === true || troubles.nothingRefused === true;
  const wild = !alone && swarm.chance(0.06);
  const weather = !alone && swarm.chance(0.25) ? drawWeather(random.fork('weather')) : undefined;
  const acts = [...(troubles.acts ?? []), ...(alone ? [] : drawActs(random.fork('acts'), troubles))];
  const answers = swarm.chance(0.7) ? [] : drawAnswers(random.fork('answers'));
  const clocks = drawClocks(random.fork('clocks'), wild);
  // Votes from more than 5 s ahead do not count: life goes on only where clocks are nearer than that.
  const saneClocks = !wild && [...clocks.regionClocks.values()].every(({ step }) => Math.abs(step?.by ?? 0) < toMicros(4.5));
  const faults = [...troubles.faults, ...(alone ? [] : drawReplicaTrouble(random.fork('replica')))];
  // A death costs time. Where trouble passes, an answer runs out or people change their minds, that alone may end it elsewhere.
  const lasts =
    !alone && !weather && answers.length === 0 && saneClocks && onlyOnce(acts) && faults.every(({ until }) => until === undefined);
  const deaths = lasts ? drawDeaths(random.fork('deaths')) : [];
  const interruptions = alone || deaths.length > 0 ? deaths : drawInterruptions(random.fork('interruptions'), troubles);
  const onlyCrashes =
    !weather && acts.length === 0 && answers.length === 0 && saneClocks && interruptions.every(({ who }) => who === 'step');
  const isApproved = swarm.chance(0.15);
  return {
    title: troubles.title,
    policy: {
      mode: isApproved ? 'approve' : 'automatic',
      budgetSeconds: swarm.pick([5, 60, 300]),
      databases: swarm.chance(0.15) ? 2 : 1,
    },
    coldStart: swarm.chance(0.03),
    ...clocks,
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
      sameWithoutCrashes: deaths.length > 0 && !isApproved && acts.every(({ kind }) => kind !== 'replace'),
      saneClocks,
    },
    quietFrom: Math.max(0, weather?.until ?? 0, ...faults.map(({ at, until }) => until ?? at), ...acts.map(({ at }) => at)),
  };
}

/** One thing that people ask for, which nobody stops or follows up. */
const onlyOnce = (acts: readonly HandAct[]): boolean =>
  acts.length === 0 || (acts.length === 1 && acts.every(({ kind }) => kind === 'switch-over' || kind === 'replace'));

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
  if (acts.length === 0 && random.chance(0.03)) {
    const at = random.between(34, 120);
    drawn.push({
      kind: 'replace',
      at: toMicros(at),
      back: toMicros(random.between(31, at)),
      which: random.pick(['the first', 'the second']),
    });
  }
  if (random.chance(0.04)) drawn.push({ kind: 'hold', at: toMicros(random.between(3, 40)), for: toMicros(random.between(10, 60)) });
  if (acts.some(({ kind }) => kind === 'replace') && random.chance(0.3))
    drawn.push({ kind: 'switch-over', at: toMicros(random.between(80, 140)) });
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
