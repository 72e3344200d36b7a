import { audited } from '../../../functions/audit/audited.ts';
import { line } from '../../../functions/incidents/incident/transition.ts';
import type { Incident, TimelineEntry } from '../../../functions/incidents/models.ts';
import type { Session } from '../../session.ts';
import type { actorOf } from './change.ts';

/** A line of the timeline, also when it is over. The words are there alone: the audit log holds that there are some. */
export async function note(
  { ports, clock, region }: Session<'auditLog' | 'incidents'>,
  { id }: Pick<Incident, 'id'>,
  text: string,
  { principal, by }: ReturnType<typeof actorOf>,
): Promise<TimelineEntry> {
  const entry = line('note', { by, now: clock.now() }, text);
  const act = {
    actor: `cli/${principal}`.slice(0, 200),
    action: 'note-incident',
    resource: id,
    details: { characters: text.length, as: by },
  };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.incidents.append(id, [entry]));
  return entry;
}
