import { beforeAll, describe, expect, it } from 'vitest';
import type { AnyConsumer } from '../../functions/common/consumer.ts';
import type { QueueName } from '../../functions/common/names.ts';
import { runConsumer } from '../../functions/handlers/run-consumer.ts';
import { triageConsumers } from '../../functions/incidents/ingest/triage-signals.ts';
import { Signal } from '../../functions/incidents/models.ts';
import { memorySignalQueue } from '../../functions/memory/signal-queue.ts';
import { tasks } from '../../functions/tasks.ts';
import { seededRandom } from '../../lab/seeded-random.ts';
import { watchedRun } from '../support/dying-run.ts';
import { aSignal } from '../support/incidents.ts';
import { ringing, type TriageWorld, triageWorld } from '../support/triage-world.ts';

/**
 * 10 000 events a minute for ten minutes, at a tenth of the size so that it takes seconds to play: of the events, and of what the consumers get through.
 * `STORM_SCALE=1 npx vitest run test/scenarios/storm.test.ts --hookTimeout 1200000` plays the whole.
 */
const scale = Number(process.env.STORM_SCALE ?? 10);
const seconds = 600;
const perSecond = 10_000 / 60 / scale;
/** The consumers of the storm get through six tenths of it: what is left waits longer and longer. */
const storm = { everySeconds: 6, batches: 2, most: Math.floor(6 * perSecond * 0.3) };
/** A message comes back so long after the run that took it died. */
const visibilitySeconds = 60;
/** Of the queue of severity 1 they take whatever is there, once a second. */
const urgent = { batches: 5, most: 10 };
const deathsPerRun = 0.03;

const alarms = ['ServiceDown', 'HighLatency', 'ErrorRate', 'DiskFull', 'HighCpu', 'HighMemory', 'TooManyConnections', 'FailedLogins'];
const subjects = Array.from({ length: 30 }, (_, index) => `service-${index}`);
/** When they happen, and in which service: in the middle of what storms. */
const worst = [
  { after: 133, subject: 'service-3' },
  { after: 340, subject: 'service-17' },
  { after: 599, subject: 'service-29' },
];

/** What happens in one second; a signal reaches its door within 30 s of what it tells. */
function signalsOf(second: number, world: TriageWorld, random: () => number): readonly Signal[] {
  const until = (end: number) => Math.floor((end * 10_000) / (60 * scale));
  const count = until(second + 1) - until(second);
  const many = Array.from({ length: count }, (_, index) => {
    const alarm = Math.floor(random() * alarms.length);
    const at = world.at(second - Math.floor(random() * 30) + index / 1000);
    const action = random() < 0.75 ? 'trigger' : 'resolve';
    const what = { alarm: alarms[alarm] ?? '', subject: subjects[Math.floor(random() * subjects.length)] ?? '' };
    return aSignal({ ...what, severity: ([2, 3, 4] as const)[alarm % 3] ?? 2, action, at, signalId: `storm/${second}/${index}` });
  });
  const worse = worst.filter(({ after }) => after === second);
  return [
    ...many,
    ...worse.map(({ subject }) => aSignal({ alarm: 'DataLoss', subject, severity: 1, at: world.at(second), signalId: `worst/${subject}` })),
  ];
}

/** By the definition: the alarms whose newest change says that they ring. */
function ringInTheEnd(signals: readonly Signal[]): readonly string[] {
  const newest = new Map<string, Signal>();
  for (const signal of signals) {
    const known = newest.get(signal.dedupKey);
    const isNewer = !known || signal.at > known.at || (signal.at === known.at && signal.action === 'trigger');
    if (isNewer) newest.set(signal.dedupKey, signal);
  }
  const ring = [...newest.values()].filter(({ action }) => action === 'trigger');
  return ring.map(({ alarm, subject, severity }) => `${alarm} of ${subject}: ${severity}`).sort();
}

async function play() {
  const world = triageWorld();
  const random = seededRandom(20261118);
  const queue = memorySignalQueue({ clock: world.clock, visibilitySeconds, maxReceives: 20, random, repeated: 0.03 });
  const consumers = new Map(triageConsumers(() => tasks).map((consumer) => [consumer.queue, consumer]));
  const consumerOf = (name: QueueName): AnyConsumer => {
    const found = consumers.get(name);
    if (!found) throw new Error(`nobody takes from ${name}`);
    return found;
  };
  const seen = { died: 0, runs: 0, depth: 0, diedWith: new Map<string, number>() };

  /** One run of a consumer as its Lambda function runs, which may die in the middle of it. */
  const run = (name: QueueName, most: number) =>
    queue.deliver(name, most, async (event) => {
      seen.runs++;
      const ids = event.Records.map(({ body }) => Signal.parse(JSON.parse(body)).signalId);
      // The first run that takes the second P0 dies before it has done anything; others die now and then, anywhere.
      const isChosen = ids.includes(`worst/${worst[1]?.subject}`) && !ids.some((id) => seen.diedWith.has(id));
      const drawn = { call: 1 + Math.floor(random() * 4 * ids.length), when: 'after' } as const;
      const death = isChosen ? ({ call: 1, when: 'before' } as const) : random() < deathsPerRun ? drawn : undefined;
      const watched = watchedRun(world.ports, { death });
      const deadline = new Date(world.clock.now().getTime() + 60_000);
      const answer = await runConsumer(consumerOf(name), event, world.hostAt({ ports: watched.ports }), deadline);
      if (!watched.died()) return answer;
      seen.died++;
      for (const id of ids) seen.diedWith.set(id, (seen.diedWith.get(id) ?? 0) + 1);
      throw new Error('the function died');
    });
  const work = (second: number) =>
    Promise.all([
      ...Array.from({ length: urgent.batches }, () => run('urgent-signals', urgent.most)),
      ...Array.from({ length: second % storm.everySeconds === 0 ? storm.batches : 0 }, () => run('signals', storm.most)),
    ]);

  const sent: Signal[] = [];
  const sentAt = new Map<string, Date>();
  for (let second = 0; second < seconds; second++) {
    const signals = signalsOf(second, world, random);
    for (const { signalId } of signals) sentAt.set(signalId, world.clock.now());
    sent.push(...signals);
    await queue.send(signals);
    await work(second);
    seen.depth = Math.max(seen.depth, queue.depth('signals'));
    world.clock.advance(1);
    if (second % 60 === 59) await world.release();
  }
  for (let second = seconds; queue.depth('signals') + queue.depth('urgent-signals') > 0; second++) {
    await work(second);
    world.clock.advance(1);
  }
  const waited = async (signal: Signal): Promise<number> =>
    (Date.parse((await world.outcome(signal))?.at ?? '') - (sentAt.get(signal.signalId)?.getTime() ?? 0)) / 1000;
  return { world, queue, sent, sentAt, seen, waited };
}

describe('a storm with three P0 in it', () => {
  let played: Awaited<ReturnType<typeof play>>;
  beforeAll(async () => {
    played = await play();
  });

  it('is one: it comes faster than it is worked, more than once and out of order, and consumers die in it', () => {
    const { sent, seen } = played;
    expect(sent).toHaveLength(10 * (10_000 / scale) + worst.length);
    expect(seen.depth).toBeGreaterThan(sent.length / 4);
    expect(seen.died).toBeGreaterThan(5);
  });

  it('loses nothing: each event has exactly one outcome, on an incident or off it with the reason', async () => {
    const { world, queue, sent } = played;
    const outcomes = await Promise.all(sent.map((signal) => world.outcome(signal)));
    expect(outcomes.filter((outcome) => outcome === undefined)).toEqual([]);
    for (const told of outcomes) {
      const isOff = told?.outcome === 'silenced' || told?.outcome === 'ignored';
      expect(isOff ? (told?.says.length ?? 0) > 0 : told?.incidentId !== undefined, told?.says).toBe(true);
    }
    expect([...queue.deadLetters('signals'), ...queue.deadLetters('urgent-signals')]).toEqual([]);
  });

  it('leaves open what rings in the end, once what flapped is quiet', async () => {
    const { world, sent } = played;
    world.clock.advance(3600);
    await world.release();
    expect(ringing(await world.open())).toEqual(ringInTheEnd(sent));
    const told = new Set(world.told());
    for (const { id, generation } of await world.open()) expect(told).toContain(`${id}-${generation}`);
  });

  it('does not stand before a P0: each is on an incident of its own severity, and people are told once, as soon as its own queue is looked at', async () => {
    const { world, sent, sentAt, seen, waited } = played;
    const ofWorst = sent.filter(({ alarm }) => alarm === 'DataLoss');
    expect(ofWorst).toHaveLength(worst.length);
    for (const signal of ofWorst) {
      const told = await world.outcome(signal);
      const incident = told?.incidentId && (await world.ports.incidents.get(told.incidentId));
      if (!incident) throw new Error(`${signal.signalId} is on no incident`);
      expect(incident).toMatchObject({ severity: 1, groupKey: `${signal.subject}@us-east-1` });
      // The newest generation is the one that the P0 began: nothing after it had people told once more.
      const delay = (Date.parse(incident.escalatesFrom) - (sentAt.get(signal.signalId)?.getTime() ?? 0)) / 1000;
      expect(delay).toBeGreaterThanOrEqual(0);
      // Whoever takes it comes at once; one that dies with it costs the time until it is shown again.
      const deaths = seen.diedWith.get(signal.signalId) ?? 0;
      expect(delay).toBeLessThan(deaths === 0 ? 1 : deaths * visibilitySeconds + 2);
      expect(world.told().filter((name) => name === `${incident.id}-${incident.generation}`)).toHaveLength(1);
    }
    expect(ofWorst.filter(({ signalId }) => seen.diedWith.has(signalId)).map(({ subject }) => subject)).toContain(worst[1]?.subject);
    expect(ofWorst.some(({ signalId }) => !seen.diedWith.has(signalId))).toBe(true);
    const rest = await Promise.all(sent.slice(-1000).map(waited));
    expect(Math.max(...rest)).toBeGreaterThan(120); // the others waited for minutes at the same time
  });
});
