import { InvalidInput, NotFound } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import { LogDamaged, NotInLogYet } from '../errors.ts';
import { leafHash } from '../log/merkle.ts';
import { inclusionProof, isIncluded } from '../log/proofs.ts';
import type { AuditEvents, AuditQueue, EventRef, Place, RecordedEvent } from '../ports.ts';
import { placesByScan } from './find-places.ts';
import { extraBytes } from './proof-extra.ts';
import { type LogPorts, type OpenedLogs, openedLogs, type PublishedLog } from './published-log.ts';
import { formatTlogProof } from './tlog-proof.ts';

export interface ProvePorts extends LogPorts {
  /** Whose `auditQueue` it is. */
  readonly region: Region;
  readonly auditEvents: Pick<AuditEvents, 'get'>;
  readonly auditQueue: Pick<AuditQueue, 'place'>;
}

/**
 * A `.tlog-proof` of these events, in their order: each a whole proof with the event beside it as far as it is not erased. Events of one log are proven against one
 * checkpoint. Every proof is verified before it is handed out.
 *
 * It holds what the events hold: whoever asks for it reads them, and the caller records that (`auditRead`).
 *
 * @param options.withBodies false leaves the events out, for a receiver who may know that something was logged and not what
 * @throws NotFound for an event that nobody recorded; NotInLogYet while one waits for its place; NoteRefused, LogDamaged when the log itself is not sound
 */
export async function proveEvents(
  refs: readonly EventRef[],
  ports: ProvePorts,
  { withBodies = true }: { readonly withBodies?: boolean } = {},
): Promise<string> {
  if (refs.length === 0) throw new InvalidInput('a proof is one of an event at least');
  const events = await recorded(refs, ports);
  const logs = openedLogs(ports);
  const places = await placesOf(events, ports, logs);
  const proofs: string[] = [];
  for (const event of events) proofs.push(await proofOf(event, placeOf(event, places), logs, withBodies));
  return proofs.join('');
}

const keyOf = ({ region, eventId }: EventRef): string => `${region}/${eventId}`;

/** In the order that was asked for. */
async function recorded(refs: readonly EventRef[], { auditEvents }: ProvePorts): Promise<readonly RecordedEvent[]> {
  const known = new Map((await auditEvents.get(refs)).map((event) => [keyOf(event), event]));
  return refs.map((ref) => {
    const event = known.get(keyOf(ref));
    if (!event)
      throw new NotFound(`event ${ref.eventId} was never recorded in ${ref.region}`, {
        hint: 'One event can be recorded in two Regions: name the right one.',
      });
    return event;
  });
}

/** This Region's queue knows the places of its events; of another Region's nobody here does, so its entries are looked through. */
async function placesOf(
  events: readonly RecordedEvent[],
  { region, auditQueue }: ProvePorts,
  logs: OpenedLogs,
): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>();
  for (const event of events.filter((each) => each.region === region)) {
    const place = await auditQueue.place(event.eventId);
    if (place) places.set(keyOf(event), place);
  }
  for (const other of new Set(events.map((event) => event.region).filter((each) => each !== region))) {
    const wanted = events.filter((event) => event.region === other);
    for (const [eventId, place] of await placesByScan(wanted, (generation) => logs(other, generation), logs.newest))
      places.set(keyOf({ region: other, eventId }), place);
  }
  return places;
}

function placeOf(event: RecordedEvent, places: ReadonlyMap<string, Place>): Place {
  const place = places.get(keyOf(event));
  if (place) return place;
  throw new NotInLogYet(`event ${event.eventId} waits for its place in the log of ${event.region}`, {
    hint: 'It is durable. The sequencer looks every half second; if this stays so, see the runbook AuditEventNotIntegrated.',
  });
}

async function proofOf(event: RecordedEvent, { generation, index }: Place, logs: OpenedLogs, withBodies: boolean): Promise<string> {
  const log = await logs(event.region, generation);
  if (!log || index >= log.checkpoint.size)
    throw new NotInLogYet(`the checkpoint of ${event.region} that is read here does not reach event ${event.eventId} yet`, {
      hint: 'The copy of a log in another Region comes later than the log: try again.',
    });
  const proof = await inclusionProof(log.read, index, log.checkpoint.size);
  assertProven(event, { index, proof, log });
  const { leaf, body, salt } = event;
  const extra = extraBytes({
    format: 'codeblue-audit-proof/1',
    leaf,
    ...(withBodies && body !== undefined && salt !== undefined ? { body, salt } : {}),
  });
  return formatTlogProof({ extra, index, proof, checkpoint: log.note });
}

function assertProven(
  { eventId, leaf, region }: RecordedEvent,
  { index, proof, log }: { readonly index: number; readonly proof: readonly Uint8Array[]; readonly log: PublishedLog },
): void {
  if (isIncluded({ ...log.checkpoint, index, proof, leafHash: leafHash(Buffer.from(leaf)) })) return;
  throw new LogDamaged(`entry ${index} of ${log.checkpoint.origin} is not event ${eventId} of ${region}`, {
    hint: 'The log, or the stored leaf of the event, was changed: see the runbook AuditLogRewritten.',
  });
}
