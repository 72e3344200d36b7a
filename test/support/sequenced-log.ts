import { openNote } from '../../functions/audit/log/checkpoint.ts';
import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import { type SequencerPorts, sequencerMemory } from '../../functions/audit/log/sequencer.ts';
import type { Place } from '../../functions/audit/ports.ts';
import { Region, type Timestamp } from '../../functions/common/ids.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { anEvent, eventIdOf } from './audit-events.ts';
import { type Death, watchedRun } from './dying-run.ts';
import { testOperations } from './operations.ts';

type Policy = SequencerPorts['operations']['audit'];
/** Somebody who makes passes: with what it remembers, its config, and the ports as it sees them. */
interface Sequencer {
  readonly audit?: Partial<Policy>;
  readonly run?: Timestamp;
  readonly batchLimit?: number;
  readonly death?: Death;
  readonly meanwhile?: (call: number) => Promise<void>;
}

/** One Region's log in memory; it is 12:00. */
export function sequencedLog() {
  const operations = testOperations();
  const region = Region.parse(operations.regions.primary);
  const clock = manualClock('2026-11-21T12:00:00.000Z');
  const store = memoryItemStore(clock);
  const ports = memoryPorts({ operations, clock, store });
  const { auditEvents, auditHead, auditObjects, auditQueue, checkpointSigner } = ports;

  /** One who makes one pass after another. */
  function sequencer({ audit, death, meanwhile, ...kept }: Sequencer = {}) {
    const watched = watchedRun(
      { auditHead, auditObjects, auditQueue, checkpointSigner, witnesses: ports.witnesses },
      { death, ...(meanwhile ? { meanwhile } : {}) },
    );
    const reached = { ...ports, ...watched.ports };
    const memory = sequencerMemory(kept);
    const own = { ...operations, audit: { ...operations.audit, ...audit } };
    return {
      ...watched,
      pass: (given: Partial<SequencerPorts> = {}) => sequenceOnce({ ...reached, operations: own, region, clock, ...given }, memory),
    };
  }

  return {
    ...{ ports, operations, region, clock, store, sequencer },
    async record(from: number, until: number) {
      for (let number = from; number < until; number++) await auditEvents.record(anEvent(number));
    },
    /** Until nothing is left to do. */
    async sequence(given: Sequencer = {}) {
      const { pass } = sequencer(given);
      while ((await pass()).did !== 'nothing');
    },
    /** Every object, base64 by path: what outsiders see. */
    async objects(): Promise<Readonly<Record<string, string>>> {
      const found: Record<string, string> = {};
      for await (const path of auditObjects.list(region, ''))
        found[path] = Buffer.from((await auditObjects.get(region, path)) ?? []).toString('base64');
      return found;
    },
    async places(until: number): Promise<readonly (Place | undefined)[]> {
      return Promise.all(Array.from({ length: until }, (_, number) => auditQueue.place(eventIdOf(number))));
    },
    /** As somebody reads it who has the log's public key from its bucket. */
    async checkpoint(generation = 1) {
      const text = async (path: string) => Buffer.from((await auditObjects.get(region, `${generation}/${path}`)) ?? []).toString();
      return openNote(await text('checkpoint'), (await text('verifier-key')).trimEnd());
    },
  };
}

export type SequencedLog = ReturnType<typeof sequencedLog>;
