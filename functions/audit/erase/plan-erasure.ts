import { InvalidInput } from '../../common/errors.ts';
import type { Region, Timestamp } from '../../common/ids.ts';
import { isOver } from '../../incidents/is-over.ts';
import type { Incident, IncidentId } from '../../incidents/models.ts';
import type { Incidents } from '../../incidents/ports.ts';
import type { EventId, PatientRef } from '../events/event.ts';
import { bodyOf } from '../events/recorded.ts';
import type { EventRef, RecordedEvent } from '../ports.ts';
import { type Reader, startedRead } from '../query/audited-read.ts';
import { type ReadPorts, readNamedEvents } from '../query/read-events.ts';
import { isErasable } from './erasable.ts';

/** Events by their ids, in whatever Region they were recorded, or all of one patient. */
export type ErasureTarget = { readonly eventIds: readonly EventId[] } | { readonly patientRef: PatientRef };

/** An event whose body goes, as far as it may be shown: nothing of it tells who it was about. */
export interface PlannedErasure extends EventRef {
  readonly recordedAt: Timestamp;
  readonly action: string;
}

export interface ErasurePlan {
  readonly erase: readonly PlannedErasure[];
  readonly erasedAlready: readonly EventRef[];
  /** Acts of Codeblue but for its readings (`isErasable`): who changed what in the operation of a hospital is nobody's to erase. */
  readonly ownActs: readonly EventRef[];
  /** Evidence of a breach that is not over is kept (GDPR Art. 17(3)(e): for legal claims), until its incident is. */
  readonly held: readonly (EventRef & { readonly incidentId: IncidentId })[];
  /** Recorded nowhere. */
  readonly unknown: readonly EventId[];
}

interface PlanPorts extends ReadPorts {
  readonly incidents: Pick<Incidents, 'open'>;
  /** Where events are recorded. */
  readonly regions: readonly Region[];
}

/** Before everything that was ever recorded, and after. */
const ALL_TIME = { from: new Date(0), until: new Date('9999-12-31T00:00:00Z') } as const;
const PAGE = 500;

/**
 * What an erasure would do. Nothing is erased without one. By patient it takes the readings along that looked for that patient. Reading for it is audited like any other
 * reading, without the reference: what is to be forgotten is not to be named anew.
 *
 * @throws InvalidInput when there is nothing to look for, or the purpose names the patient; ServiceUnavailable
 */
export async function planErasure(ports: PlanPorts, target: ErasureTarget, reader: Reader): Promise<ErasurePlan> {
  refuseNaming(target, [reader.purpose]);
  const [events, open] = await Promise.all([eventsOf(ports, target, reader), ports.incidents.open()]);
  const holding = open.filter((incident) => incident.breachDeclaredAt !== undefined && !isOver(incident));
  const plan: Mutable<ErasurePlan> = { erase: [], erasedAlready: [], ownActs: [], held: [], unknown: unknownOf(events, target) };
  for (const event of events) sort(event, holding, plan);
  return plan;
}

/** What stands in the log for ever may not have the reference in it that is to be forgotten. @throws InvalidInput */
export function refuseNaming(target: ErasureTarget, words: readonly string[]): void {
  if (!('patientRef' in target) || !words.some((text) => text.toLowerCase().includes(target.patientRef.toLowerCase()))) return;
  throw new InvalidInput('the reason names the patient, and would stay in the log for ever', {
    hint: 'Name the request by a number of its own.',
  });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

function sort(event: RecordedEvent, holding: readonly Incident[], plan: Mutable<ErasurePlan>): void {
  const ref = { region: event.region, eventId: event.eventId };
  const body = bodyOf(event);
  const holder = holding.find((incident) => names(incident, event.eventId));
  if (!body) plan.erasedAlready.push(ref);
  else if (!isErasable(event)) plan.ownActs.push(ref);
  else if (holder) plan.held.push({ ...ref, incidentId: holder.id });
  else plan.erase.push({ ...ref, recordedAt: event.recordedAt, action: body.action });
}

/** `codeblue incident link <incident> --kind audit --ref <eventId>`, or evidence whose name has the id in it. */
const names = ({ links }: Incident, eventId: EventId): boolean =>
  links.some(({ kind, ref }) => (kind === 'audit' || kind === 'evidence') && ref.includes(eventId));

async function eventsOf(ports: PlanPorts, target: ErasureTarget, reader: Reader): Promise<readonly RecordedEvent[]> {
  if ('patientRef' in target) return eventsOfPatient(ports, target.patientRef, reader);
  if (target.eventIds.length === 0) throw new InvalidInput('no event is named', { hint: 'Name events by their ids, or a patient.' });
  const refs = [...new Set(target.eventIds)].flatMap((eventId) => ports.regions.map((region) => ({ region, eventId })));
  return readNamedEvents(ports, refs, reader);
}

async function eventsOfPatient(ports: PlanPorts, patientRef: PatientRef, reader: Reader): Promise<readonly RecordedEvent[]> {
  const reading = await startedRead(ports, reader, { details: { events: 'all of one patient' } });
  const found: RecordedEvent[] = [];
  let whole = false;
  try {
    let next: string | undefined;
    do {
      const page = await ports.auditEvents.query({ ...ALL_TIME, patientRef }, { limit: PAGE, ...(next === undefined ? {} : { next }) });
      found.push(...page.events);
      next = page.next;
    } while (next !== undefined);
    whole = true;
  } finally {
    await reading.ended(whole ? 'success' : 'failure', { found: found.length });
  }
  return found;
}

function unknownOf(events: readonly RecordedEvent[], target: ErasureTarget): EventId[] {
  if ('patientRef' in target) return [];
  const known = new Set(events.map(({ eventId }) => eventId));
  return [...new Set(target.eventIds)].filter((eventId) => !known.has(eventId));
}
