import { createHash } from 'node:crypto';
import { actLog } from '../../../functions/audit/events/act-log.ts';
import { recordedEvent } from '../../../functions/audit/events/recorded.ts';
import { sequenceOnce } from '../../../functions/audit/log/sequence.ts';
import { sequencerMemory } from '../../../functions/audit/log/sequencer.ts';
import { checkAuditLog } from '../../../functions/audit/watch/check-audit-log.ts';
import { restoreTestAuditLog } from '../../../functions/audit/watch/restore-test-audit-log.ts';
import { sweepAuditTiles } from '../../../functions/audit/watch/sweep-audit-tiles.ts';
import { verifyAuditLog } from '../../../functions/audit/watch/verify-audit-log.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { silentLogger } from '../../../functions/common/logger.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import type { AnyTask } from '../../../functions/common/task.ts';
import { memoryCheckpointSigner } from '../../../functions/memory/audit/checkpoint-signer.ts';
import { memoryAuditEvents } from '../../../functions/memory/audit/events.ts';
import { memoryAuditHead } from '../../../functions/memory/audit/head.ts';
import { memoryAuditObjects, type ObjectVersions } from '../../../functions/memory/audit/objects.ts';
import { memoryAuditQueue } from '../../../functions/memory/audit/queue.ts';
import { type ManualClock, manualClock } from '../../../functions/memory/clock.ts';
import { type ItemStore, type Json, memoryItemStore } from '../../../functions/memory/item-store.ts';
import { memoryPorts } from '../../../functions/memory/ports.ts';
import { aBody } from '../../support/audit-events.ts';
import { testOperations } from '../../support/operations.ts';

export const { primary, standby, tertiary } = testOperations().regions;
const secret = Buffer.from('keys of the watched world');

/** Collections that make up the events, the log's table and what the watch keeps. */
const collectionsOf = (region: Region) => [
  ...['audit-recorded', 'audit-acts', 'audit-heads', 'audit-seen', 'audit-watch-progress'],
  ...['batches', 'waiting', 'leaves', 'places'].map((name) => `audit-${name}-${region}`),
];

export interface WorldState {
  readonly clock: ManualClock;
  readonly store: ItemStore;
  readonly versions: ObjectVersions;
  readonly generation: number;
}

/** The same again, of its own: what is done to the one is not seen in the other. */
export function copyOf({ clock, store, versions, generation }: WorldState): WorldState {
  const copiedClock = manualClock(clock.now());
  const copy = memoryItemStore(copiedClock);
  for (const collection of [...new Set([primary, standby, tertiary].flatMap(collectionsOf))]) {
    for (const { key, value } of store.list(collection)) copy.put(collection, key, plain(value));
  }
  return { clock: copiedClock, store: copy, versions: new Map([...versions].map(([path, all]) => [path, [...all]])), generation };
}

/** As JSON has it. */
export const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value));

export const freshState = (): WorldState => {
  const clock = manualClock('2026-11-21T12:00:00.000Z');
  return { clock, store: memoryItemStore(clock), versions: new Map(), generation: 1 };
};

export type WatchedWorld = ReturnType<typeof watchedWorld>;

/** A deployment over such a state: real sequencer, real watch, from each Region. */
export function watchedWorld(state: WorldState, { batchLimit = 100, change = (ports: Ports): Ports => ports } = {}) {
  const { clock, store, versions } = state;
  let { generation } = state;
  const operations = () => testOperations({ audit: { ...testOperations().audit, generation } });
  const portsIn = (region: Region): Ports => {
    const auditEvents = memoryAuditEvents({ store, region });
    return change(
      memoryPorts({
        ...{ operations: operations(), clock, store, auditEvents },
        auditLog: actLog({ auditEvents, clock, region }),
        auditHead: memoryAuditHead({ store, region }),
        auditQueue: memoryAuditQueue({ store, region }),
        auditObjects: memoryAuditObjects({ region, clock, keptDays: 2557, versions }),
        checkpointSigner: memoryCheckpointSigner({ region, secret }),
      }),
    );
  };
  const contextIn = (region: Region, seconds = 900) => ({
    ...{ operations: operations(), region, clock, log: silentLogger, scheduledAt: clock.now(), codeSha256: '0c'.repeat(32) },
    deadline: new Date(clock.now().getTime() + seconds * 1000),
  });
  const run = (task: AnyTask, region: Region, input: unknown, seconds: number) =>
    task.execute(input, portsIn(region), contextIn(region, seconds));
  return {
    ...{ clock, store, versions, portsIn, contextIn, operations },
    state: (): WorldState => ({ clock, store, versions, generation }),
    rotate() {
      generation++;
    },
    /** Records events, ten milliseconds apart. */
    async record(from: number, count: number, region: Region = primary) {
      const { auditEvents } = portsIn(region);
      for (let number = from; number < from + count; number++) {
        clock.advance(0.01);
        const at = clock.now();
        const body = aBody(number, { at: at.toISOString() });
        await auditEvents.record(
          recordedEvent({ body, region, recordedAt: timestamp(at), salt: createHash('sha256').update(`salt ${number}`).digest() }),
        );
      }
    },
    async sequence(region: Region = primary) {
      const memory = sequencerMemory({ batchLimit });
      const { operations: of, clock: time } = contextIn(region);
      const ports = { ...portsIn(region), operations: of, region, clock: time };
      while ((await sequenceOnce(ports, memory)).did === 'integrated');
    },
    check: (region: Region = primary) => checkAuditLog.run({}, { ...portsIn(region), ...contextIn(region, 300) }),
    verify: (region: Region = primary, begin = true, seconds = 900) =>
      verifyAuditLog.run({ begin }, { ...portsIn(region), ...contextIn(region, seconds) }),
    restoreTest: (begin = true, seconds = 900) =>
      restoreTestAuditLog.run({ begin }, { ...portsIn(primary), ...contextIn(primary, seconds) }),
    sweep: (region: Region = primary) => sweepAuditTiles.run({}, { ...portsIn(region), ...contextIn(region) }),
    run,
  };
}

/** Three generations of some hundred events each; the watch has seen the first two, and events of the third have come since. */
export async function threeGenerations(perGeneration = 700): Promise<{ readonly state: WorldState; readonly older: WorldState }> {
  const world = watchedWorld(freshState(), { batchLimit: 150 });
  await world.record(0, perGeneration);
  await world.sequence();
  world.rotate();
  await world.record(perGeneration, perGeneration - 200);
  await world.sequence();
  const older = copyOf(world.state());
  await world.record(2 * perGeneration - 200, 200);
  await world.sequence();
  const { findings } = await world.check();
  if (findings.length > 0) throw new Error(`the honest log is accused: ${findings[0]?.says}`);
  world.rotate();
  await world.record(2 * perGeneration, perGeneration);
  await world.sequence();
  world.clock.advance(600);
  return { state: world.state(), older };
}
