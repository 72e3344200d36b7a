import { canonicalJson } from '../events/leaf.ts';
import { batchOf, endOf } from './batch.ts';
import { finishBatch } from './finish-batch.ts';
import { logKey } from './log-key.ts';
import { emptyRoot } from './merkle.ts';
import type { Batch, LogHead } from './models.ts';
import { runOf, type Sequenced, type SequencerMemory, type SequencerPorts, sequencerMemory } from './sequencer.ts';

/**
 * One pass over this Region's log (ADR 10, "Sequenced second"): finishes the batch that is claimed, or claims the next one and finishes it. Anybody may run it at any time,
 * several at once, and end anywhere: the same events have the same places afterwards, and each has one.
 *
 * The order is what it rests on. The head is read before anything is chosen and written only on the version that was read, so a choice stands only if nothing was claimed since;
 * a head without a claim stands only after everything before it was settled, so nobody chooses what has a place. A write whose answer is lost may stand: that is not asked here,
 * because the next pass reads it.
 *
 * @throws LogDamaged when what is stored contradicts the head: nothing is signed then; ServiceUnavailable, Conflict: another pass goes on where this one stopped
 */
export async function sequenceOnce(ports: SequencerPorts, memory: SequencerMemory = sequencerMemory()): Promise<Sequenced> {
  const head = (await ports.auditHead.read()) ?? emptyHead(ports.operations.audit.generation);
  if (memory.run !== undefined && head.run !== undefined && head.run > memory.run) return passed('relieved');
  if (head.claimed) return finishBatch(head, ports, memory);

  const next = await nextBatch(head, ports, memory);
  if (!next) return announce(head, ports, memory);
  await ports.auditHead.putBatch(next);
  const { batchId, generation, from } = next;
  const claiming: LogHead = {
    ...head,
    version: head.version + 1,
    generation,
    size: from,
    root: from === 0 ? base64(emptyRoot) : head.root,
    claimed: { batchId, size: endOf(next) },
    ...runOf(head, memory),
  };
  if (!(await ports.auditHead.write(claiming))) return passed('lost-race', next.eventIds.length);
  return finishBatch(claiming, ports, memory);
}

/** What comes next in the log: its succession where the config wants a new generation, else what waits, oldest first. */
async function nextBatch(head: LogHead, ports: SequencerPorts, memory: SequencerMemory): Promise<Batch | undefined> {
  const { generation, size } = head;
  const wanted = ports.operations.audit.generation;
  // A sequencer with an older config goes on in the generation that it finds.
  if (wanted > generation && size > 0) return firstOfSuccessor(head, ports);
  const waiting = await ports.auditQueue.pending(memory.batchLimit);
  const eventIds = [...new Set(waiting.map(({ eventId }) => eventId))].slice(0, memory.batchLimit);
  if (eventIds.length === 0) return undefined;
  return batchOf({ generation: size > 0 ? generation : Math.max(wanted, generation), from: size, eventIds });
}

/**
 * Its first entry, alone: it commits to the whole log before it. One generation at a time, whatever the config says, so that each log names the one before. Asks for the new
 * key first: a log whose key is not there must not begin.
 */
async function firstOfSuccessor({ generation, size, root }: LogHead, ports: SequencerPorts): Promise<Batch> {
  const { origin, verifierKey } = await logKey(generation, ports);
  await logKey(generation + 1, ports);
  const predecessor = canonicalJson({ format: 'codeblue-audit-predecessor/1', origin, size, root, verifierKey });
  return batchOf({ generation: generation + 1, from: 0, eventIds: [], predecessor });
}

/** With nothing to sequence, a younger run says all the same that it is there: so the older one ends. */
async function announce(head: LogHead, { auditHead }: SequencerPorts, memory: SequencerMemory): Promise<Sequenced> {
  if (memory.run === undefined || head.run === memory.run) return passed('nothing');
  const stands = await auditHead.write({ ...head, version: head.version + 1, run: memory.run });
  return passed(stands ? 'nothing' : 'lost-race');
}

const emptyHead = (generation: number): LogHead => ({ version: 0, generation, size: 0, root: base64(emptyRoot) });

const passed = (did: Sequenced['did'], waiting = 0): Sequenced => ({ did, events: 0, waiting, lateWitnesses: 0 });

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
