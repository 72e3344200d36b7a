import type { Clock } from '../../common/clock.ts';
import { NotFound } from '../../common/errors.ts';
import { inParallel } from '../../common/in-parallel.ts';
import { parseAs } from '../../common/parse.ts';
import { LogDamaged } from '../errors.ts';
import type { EventId } from '../events/event.ts';
import { EventLeaf } from '../events/leaf.ts';
import type { Place } from '../ports.ts';
import { append, emptyEdge, type RightEdge, readRightEdge, rootOfEdge } from './append.ts';
import { claimedBatch } from './batch.ts';
import { logKey } from './log-key.ts';
import type { Batch, LogHead } from './models.ts';
import { publishTree } from './publish-tree.ts';
import { type LogKey, runOf, type Sequenced, type SequencerMemory, type SequencerPorts } from './sequencer.ts';

/** Requests to the object store at a time: a full batch has 20 objects. */
const OBJECTS_AT_A_TIME = 16;

/**
 * Makes the claimed batch part of the published log. Whoever does it, and however often, writes the same bytes: the batch is stored, and leaves never change. Each step is
 * durable before the next begins: objects before the checkpoint that promises them, the checkpoint before the events leave the queue, and the head, which lets others
 * choose again, last of all.
 *
 * @throws LogDamaged, ServiceUnavailable, Conflict: the batch stays claimed, and whoever comes next finishes it
 */
export async function finishBatch(head: LogHead, ports: SequencerPorts, memory: SequencerMemory): Promise<Sequenced> {
  const { auditHead, auditQueue, auditObjects } = ports;
  const { generation, size, claimed } = head;
  const batch = claimedBatch(head, claimed && (await auditHead.batch(claimed.batchId)));
  const key = await keyOf(generation, ports, memory);
  const leaves = await auditQueue.leaves(batch.eventIds);
  const entries = batch.eventIds.map((eventId) => leafOf(eventId, leaves));
  if (batch.predecessor !== undefined) entries.unshift(batch.predecessor);
  const tree = append(
    await edgeOf(head, ports, memory),
    entries.map((entry) => Buffer.from(entry)),
  );

  if (size === 0) await auditObjects.create(`${generation}/verifier-key`, Buffer.from(`${key.verifierKey}\n`), 'kept');
  await inParallel(OBJECTS_AT_A_TIME, tree.objects, ({ path, bytes, keeping }) =>
    auditObjects.create(`${generation}/${path}`, bytes, keeping),
  );
  const { late: lateWitnesses, says } = await publishTree({ key, from: size, size: tree.size, root: tree.root }, ports, memory);
  await auditQueue.settle(placesOf(batch, tree.size));

  const root = Buffer.from(tree.root).toString('base64');
  const stands = await auditHead.write({ version: head.version + 1, generation, size: tree.size, root, ...runOf(head, memory) });
  memory.edge = { generation, edge: tree.edge };
  const events = batch.eventIds.length;
  const told = { lateWitnesses, ...(says.length > 0 ? { witnessesSay: says } : {}) };
  if (!stands) return { did: 'lost-race', events: 0, waiting: events, ...told };
  return { did: 'integrated', events, waiting: events, ...told, ...longestWait(batch, leaves, ports.clock) };
}

async function keyOf(generation: number, ports: SequencerPorts, memory: SequencerMemory): Promise<LogKey> {
  if (memory.key?.generation !== generation) memory.key = await logKey(generation, ports);
  return memory.key;
}

/**
 * Where the tree ends that the head names: as this loop remembers it, else from its tiles. A tree is built on only when its root is that of the head, so neither a memory of
 * another log nor a tile that was changed can come into what is signed.
 */
async function edgeOf({ generation, size, root }: LogHead, ports: SequencerPorts, { edge: known }: SequencerMemory): Promise<RightEdge> {
  const isOfHead = (edge: RightEdge) => edge.size === size && Buffer.from(rootOfEdge(edge)).toString('base64') === root;
  if (known?.generation === generation && isOfHead(known.edge)) return known.edge;
  const { auditObjects, region } = ports;
  const edge = size === 0 ? emptyEdge : await readRightEdge((path) => auditObjects.get(region, `${generation}/${path}`), size);
  if (isOfHead(edge)) return edge;
  throw new LogDamaged(`the tiles of generation ${generation} do not have the root that the head names for ${size} entries`, {
    hint: 'Tiles or head were changed by somebody else than the sequencer. Nothing is signed until they agree: see the runbook AuditLogRewritten.',
  });
}

function leafOf(eventId: EventId, leaves: ReadonlyMap<EventId, string>): string {
  const leaf = leaves.get(eventId);
  if (leaf === undefined) throw new NotFound(`the leaf of event ${eventId} was not found`);
  return leaf;
}

/** A predecessor's entry comes before all events. */
function placesOf({ generation, eventIds }: Batch, end: number): ReadonlyMap<EventId, Place> {
  return new Map(eventIds.map((eventId, index) => [eventId, { generation, index: end - eventIds.length + index }]));
}

/** Batches are chosen oldest first. A clock that was set back must not give a negative time. */
function longestWait(
  { eventIds: [first] }: Batch,
  leaves: ReadonlyMap<EventId, string>,
  clock: Pick<Clock, 'now'>,
): Pick<Sequenced, 'seconds'> {
  if (first === undefined) return {};
  const { recordedAt } = parseAs(EventLeaf, JSON.parse(leafOf(first, leaves)), `the leaf of event ${first}`);
  return { seconds: Math.max(0, clock.now().getTime() - Date.parse(recordedAt)) / 1000 };
}
