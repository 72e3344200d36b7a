import { NotInLogYet } from '../../../functions/audit/errors.ts';
import type { RecordedEvent } from '../../../functions/audit/ports.ts';
import { proveEvents } from '../../../functions/audit/proof/prove.ts';
import type { Reader } from '../../../functions/audit/query/audited-read.ts';
import { streamEvents } from '../../../functions/audit/query/read-events.ts';
import { after, before, hours } from '../../../functions/common/duration.ts';
import { NotFound } from '../../../functions/common/errors.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import { MisusedCommand } from '../../misused-command.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';
import { incidentNamed } from '../incident/incident-named.ts';
import { eventsNamed } from './events-named.ts';

export const auditProvePorts = ['auditEvents', 'auditLog', 'auditObjects', 'auditQueue', 'checkpointSigner', 'incidents'] as const;
type ProveSession = Session<(typeof auditProvePorts)[number]>;

export interface Proven {
  readonly file: string;
  readonly events: readonly { readonly region: string; readonly eventId: string; readonly erased: boolean }[];
}

/** An id of an event within a link of an incident. */
const EVENT_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** By their ids, or all of an incident: what was done to it, and what is linked to it. That they are read is audited. @throws MisusedCommand, NotFound */
export async function eventsToProve(
  session: ProveSession,
  { ids, incident }: { readonly ids: readonly string[]; readonly incident?: string | undefined },
  reader: Reader,
): Promise<readonly RecordedEvent[]> {
  if (ids.length > 0 === (incident !== undefined))
    throw new MisusedCommand('which events?', { hint: 'Give their ids, or --incident <id>; not both.' });
  if (incident === undefined) return eventsNamed(session, ids, reader);
  const found = await incidentNamed(session, incident);
  const linked = linkedTo(found);
  const events = [...(await actsOn(session, found, reader)), ...(linked.length > 0 ? await eventsNamed(session, linked, reader) : [])];
  if (events.length > 0) return [...new Map(events.map((event) => [`${event.region}/${event.eventId}`, event])).values()];
  throw new NotFound(`no event of the log belongs to ${found.id}`, {
    hint: `codeblue incident link ${found.id} --kind audit --ref <eventId>`,
  });
}

const linkedTo = ({ links }: Incident): readonly string[] => [
  ...new Set(links.filter(({ kind }) => kind === 'audit').flatMap(({ ref }) => ref.match(EVENT_ID) ?? [])),
];

async function actsOn(session: ProveSession, { id, openedAt }: Incident, reader: Reader): Promise<readonly RecordedEvent[]> {
  const filter = { from: before(new Date(openedAt), hours(1)), until: after(session.clock.now(), hours(1)), resource: id };
  const events: RecordedEvent[] = [];
  for await (const event of streamEvents({ ...session.ports, ...session }, filter, reader)) events.push(event);
  return events.reverse();
}

/** Looks for the place of an event that was recorded just now. */
const tries = { atMost: 10, everyMilliseconds: 1000 } as const;

/**
 * The text of the file: a whole proof for each event, one after another. Waits some seconds for events that have no place in the log yet.
 *
 * @throws NotInLogYet, LogDamaged, NoteRefused, ServiceUnavailable
 */
export async function proofOf(
  session: ProveSession,
  events: readonly RecordedEvent[],
  withBodies: boolean,
  report: Report,
): Promise<string> {
  report(`proving ${events.length} ${events.length === 1 ? 'event' : 'events'}`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await proveEvents(events, { ...session.ports, ...session }, { withBodies });
    } catch (error) {
      if (!(error instanceof NotInLogYet) || attempt === tries.atMost) throw error;
      report(error.message);
      await session.clock.sleep(tries.everyMilliseconds);
    }
  }
}

export const renderProven = ({ file, events }: Proven): string => {
  const erased = events.filter((event) => event.erased).length;
  return [
    `${events.length} ${events.length === 1 ? 'event is' : 'events are'} proven in ${file}${erased > 0 ? `, ${erased} of them erased: what is left of those is their leaf` : ''}.`,
    `Anybody verifies it with: codeblue audit verify --bundle ${file} --key-file <verifier key of the log>`,
  ].join('\n');
};
