import { WitnessesMissing } from '../../functions/audit/errors.ts';
import { acceptEvents } from '../../functions/audit/events/accept.ts';
import { EventId } from '../../functions/audit/events/event.ts';
import { recordEvents } from '../../functions/audit/events/record.ts';
import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import { sequencerMemory } from '../../functions/audit/log/sequencer.ts';
import { CodeblueError, Conflict, messageOf, ServiceUnavailable } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Random } from '../random.ts';
import { toMicros } from '../virtual-time.ts';
import type { Delivery, SequencerRun } from './audit-scenario.ts';
import { type AuditWorld, operationsOf, region } from './audit-world.ts';

/** Times that an application sends again what it heard nothing of. */
const sendings = 4;

const eventIdOf = (event: number): EventId => EventId.parse(`00000000-0000-4000-8000-${String(event).padStart(12, '0')}`);

/** An application that sends some events, and again what was not acknowledged. */
export async function record(world: AuditWorld, delivery: Delivery): Promise<void> {
  const { monitor, store } = world;
  const process = world.process(delivery);
  const { auditEvents } = world.portsOf(process);
  const random = world.random.fork(delivery.name);
  const submitted = delivery.events.map((event) => ({
    eventId: eventIdOf(event),
    at: '2026-11-21T12:00:00.000Z',
    userId: 'nurse-7',
    action: 'record.read',
    resource: `Observation/${event}`,
    outcome: 'success',
    service: 'wards',
  }));
  const policy = { policy: operationsOf(1).audit, now: process.clock.now(), submittedBy: delivery.name };
  let { accepted: left } = acceptEvents(submitted, policy);
  if (left.length < submitted.length) monitor.violated(`${delivery.name} was refused`);
  for (let sending = 1; sending <= sendings && left.length > 0; sending++) {
    const outcomes = await recordEvents(left, { auditEvents, region, clock: process.clock, log: silentLogger, random: saltsOf(random) });
    for (const { eventId, status } of outcomes) {
      if (status === 'recorded' || status === 'already') monitor.acknowledge(eventId, store.recorded.has(eventId));
      if (status === 'rejected') monitor.violated(`event ${eventId} was taken for another one`);
      world.trace(delivery.name, `${eventId.slice(-4)} ${status}`);
    }
    const unheard = new Set(outcomes.flatMap(({ eventId, status }) => (status === 'unavailable' ? [eventId] : [])));
    left = left.filter(({ body }) => unheard.has(body.eventId));
    if (left.length > 0) await process.clock.sleep(random.int(100, 3000));
  }
}

const saltsOf = (random: Random) => (count: number) => Uint8Array.from({ length: count }, () => random.int(0, 255));

/** Somebody erases an event, which may not be there yet. */
export async function erase(world: AuditWorld, { event, ...actor }: AuditWorld['scenario']['erasures'][number]): Promise<void> {
  const process = world.process(actor);
  const { auditEvents } = world.portsOf(process);
  try {
    await auditEvents.erase({ region, eventId: eventIdOf(event) }, timestamp(process.clock.now()));
    world.trace(actor.name, `event ${event} is erased`);
  } catch (error) {
    world.trace(actor.name, messageOf(error));
  }
}

/** One run of the sequencer: pass after pass until its time is over, or a younger run relieves it. @param isOver what ends it before */
export async function sequence(world: AuditWorld, run: SequencerRun, isOver: () => boolean = () => false): Promise<void> {
  const process = world.process(run);
  const operations = operationsOf(run.generation, world.scenario.witness);
  const ports = { ...world.portsOf(process, run.generation), operations, region, clock: process.clock };
  const began = world.scenario.relieved && run.name !== closer ? { run: timestamp(process.clock.now()) } : {};
  const memory = sequencerMemory({ batchLimit: run.batchLimit, ...began });
  while (world.time.now < run.until && !isOver()) {
    try {
      const { did, events } = await sequenceOnce(ports, memory);
      world.trace(run.name, `${did} ${events}`);
      if (did === 'relieved') return;
    } catch (error) {
      world.trace(run.name, messageOf(error));
      if (!(error instanceof CodeblueError)) throw error;
      const isPassing = error instanceof ServiceUnavailable || error instanceof Conflict || error instanceof WitnessesMissing;
      if (!isPassing) world.refusals.push(`${run.name}: ${error.message}`);
    }
    await process.clock.sleep(run.pauseMilliseconds);
  }
}

/** After everything: a sequencer without troubles, that nobody relieves. */
const closer = 'closer';
const closerLasts = toMicros(60);

export function close(world: AuditWorld, isAtRest: () => boolean): Promise<void> {
  const { time, scenario } = world;
  const run: SequencerRun = {
    name: closer,
    at: time.now,
    until: time.now + closerLasts,
    clock: { offset: 0, drift: 0 },
    interruption: undefined,
    pauseMilliseconds: 200,
    generation: scenario.generation,
    batchLimit: 300,
  };
  return sequence(world, run, isAtRest);
}
