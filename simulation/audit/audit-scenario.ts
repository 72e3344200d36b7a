import type { ClockError } from '../machine-clock.ts';
import type { Weather } from '../network.ts';
import type { Interruption } from '../process.ts';
import type { Random } from '../random.ts';
import { type Micros, toMicros } from '../virtual-time.ts';

/** A process of the run: when it begins, and what happens to it. */
export interface Actor {
  readonly name: string;
  readonly at: Micros;
  readonly clock: ClockError;
  readonly interruption: Interruption | undefined;
}

export interface SequencerRun extends Actor {
  /** No pass begins after that. */
  readonly until: Micros;
  readonly pauseMilliseconds: number;
  /** `audit.generation` of the config that it was deployed with. */
  readonly generation: number;
  readonly batchLimit: number;
}

/** One delivery of some events: the same event can be in several. */
export interface Delivery extends Actor {
  /** Numbers of events. */
  readonly events: readonly number[];
}

/** How a witness of the config fares, each as the share of the requests to it. */
export interface WitnessLuck {
  /** `audit.witnesses.quorum`: whether a checkpoint must carry its cosignature. */
  readonly quorum: 0 | 1;
  /** It never hears of it. */
  readonly lost: number;
  /** It cosigned, and nobody hears of that. */
  readonly answerLost: number;
  readonly refused: number;
  /** It takes some seconds. */
  readonly late: number;
}

/** What a seed has in store. */
export interface AuditScenario {
  readonly title: string;
  /** Entries that the log has when the run begins. */
  readonly entriesBefore: number;
  readonly events: number;
  readonly deliveries: readonly Delivery[];
  readonly sequencers: readonly SequencerRun[];
  readonly erasures: readonly (Actor & { readonly event: number })[];
  readonly weather: Weather | undefined;
  /** With this probability a request is sent twice by the client library, and the second answer is the one that counts. */
  readonly repeated: number;
  /** The index is late by up to so much. */
  readonly indexLag: Micros;
  /** Runs write their beginning into the head, and older ones give way. */
  readonly relieved: boolean;
  /** Undefined where the config names none. */
  readonly witness: WitnessLuck | undefined;
  /** Of the config at the end. */
  readonly generation: number;
  /** Nothing goes wrong any more, but for who stands still until later. */
  readonly quietFrom: Micros;
}

/** Sizes around which tiles and bundles end (256), and small ones. */
const sizesBefore = [0, 0, 0, 1, 3, 253, 255, 256, 511] as const;

/** Where a process may be interrupted by name; elsewhere by number alone. */
const callNames = {
  sequencer: ['head.', 'head.write', 'queue.', 'queue.items', 'queue.settle', 'objects.create', 'objects.publish', 'signer.sign'],
  recorder: ['events.record', 'events.'],
} as const;

/** Most processes have no trouble in most runs: a few troubles at a time find more than all at once (swarm testing). */
export function drawAuditScenario(random: Random): AuditScenario {
  const swarm = {
    crashes: random.chance(0.7),
    weather: random.chance(0.5),
    rotates: random.chance(0.35),
    skewed: random.chance(0.3),
    erases: random.chance(0.3),
  };
  const witness = drawWitness(random.fork('witness'));
  const calm = { crashes: swarm.crashes, skewed: swarm.skewed };
  const lasts = random.between(4, 12);
  const events = random.int(3, 24);
  const generation = swarm.rotates ? random.pick([2, 2, 3]) : 1;
  const rotatesAt = random.between(1, lasts);
  const relieved = random.chance(0.5);
  const batchLimit = random.pick([1, 2, 3, 5, 300]);
  const sequencers = Array.from({ length: random.int(2, 4) }, (_, index): SequencerRun => {
    const at = random.chance(0.5) ? random.between(0, 1) : random.between(0, lasts);
    const hasNewConfig = at >= rotatesAt ? !random.chance(0.2) : random.chance(0.1);
    return {
      ...actor(random, `sequencer ${index + 1}`, at, calm, 'sequencer'),
      until: toMicros(Math.min(lasts, at + random.between(1, lasts))),
      pauseMilliseconds: random.pick([20, 100, 500]),
      generation: hasNewConfig ? generation : 1,
      batchLimit,
    };
  });
  return {
    title: Object.entries({ ...swarm, relieved, witness: witness !== undefined, quorum: witness?.quorum === 1 })
      .flatMap(([name, on]) => (on ? [name] : []))
      .join(', '),
    entriesBefore: random.pick(sizesBefore),
    events,
    deliveries: drawDeliveries(random, events, lasts, calm),
    sequencers,
    erasures: swarm.erases
      ? Array.from({ length: random.int(1, 4) }, (_, index) => ({
          ...actor(random, `eraser ${index + 1}`, random.between(0.5, lasts), calm, 'recorder'),
          event: random.int(0, events - 1),
        }))
      : [],
    weather: swarm.weather ? drawWeather(random, lasts) : undefined,
    repeated: random.pick([0, 0, 0.1]),
    indexLag: toMicros(random.pick([0, 0.3, 3])),
    relieved,
    witness,
    generation,
    quietFrom: toMicros(lasts + 1),
  };
}

/** Each event is delivered once, some again by another process, earlier or later: reordered and repeated. */
function drawDeliveries(
  random: Random,
  events: number,
  lasts: number,
  trouble: { crashes: boolean; skewed: boolean },
): readonly Delivery[] {
  const deliveries: Delivery[] = [];
  const deliver = (some: readonly number[]) =>
    deliveries.push({
      ...actor(random, `recorder ${deliveries.length + 1}`, random.between(0, lasts), trouble, 'recorder'),
      events: some,
    });
  for (let event = 0; event < events; ) {
    const some = Array.from({ length: Math.min(events - event, random.int(1, 4)) }, (_, index) => event + index);
    deliver(some);
    if (random.chance(0.3)) deliver(random.chance(0.5) ? some : some.toReversed());
    event += some.length;
  }
  return deliveries;
}

function actor(
  random: Random,
  name: string,
  at: number,
  { crashes, skewed }: { readonly crashes: boolean; readonly skewed: boolean },
  kind: keyof typeof callNames,
): Actor {
  const widest = skewed ? random.pick([2, 2, 90]) : 0.02;
  const clock = { offset: toMicros(random.between(-widest, widest)), drift: 0 };
  return { name, at: toMicros(at), clock, interruption: crashes && random.chance(0.6) ? drawInterruption(random, kind) : undefined };
}

function drawInterruption(random: Random, kind: keyof typeof callNames): Interruption {
  const named = random.chance(0.5);
  const calls = kind === 'recorder' ? 3 : 40;
  return {
    ...(named ? { on: random.pick(callNames[kind]) } : {}),
    call: random.int(1, named ? Math.min(calls, 5) : calls),
    when: random.pick(['before', 'after']),
    what: random.chance(0.55)
      ? { kind: 'dies' }
      : { kind: 'freezes', for: toMicros(random.pick([random.between(0.1, 3), random.between(3, 20), 3600])) },
  };
}

function drawWitness(random: Random): WitnessLuck | undefined {
  if (!random.chance(0.4)) return undefined;
  const share = () => random.pick([0, 0, 0.1, 0.5]);
  return { quorum: random.pick([0, 1]), lost: share(), answerLost: share(), refused: share(), late: share() };
}

function drawWeather(random: Random, lasts: number): Weather {
  const from = random.between(0, lasts / 2);
  return {
    from: toMicros(from),
    until: toMicros(random.between(from, lasts)),
    loss: random.pick([0, 0.03, 0.1]),
    late: random.pick([0, 0.1, 0.3]),
    delay: toMicros(random.pick([0.5, 2, 12])),
    repeated: random.pick([0, 0.1]),
  };
}
