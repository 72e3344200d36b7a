import { timeSlug } from '../../../functions/common/ids.ts';
import { incidentClocks } from '../../../functions/incidents/incident/clocks.ts';
import { evidenceKey } from '../../../functions/incidents/incident/evidence-key.ts';
import { addLink } from '../../../functions/incidents/incident/links.ts';
import { phaseClocks } from '../../../functions/incidents/incident/phase.ts';
import { postMortemMarkdown } from '../../../functions/incidents/incident/post-mortem.ts';
import { type PostMortemFindings, postMortemFindings } from '../../../functions/incidents/incident/post-mortem-findings.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import type { Session } from '../../session.ts';
import { type actorOf, carryOut, incidentChangePorts } from './change.ts';

export const postMortemPorts = [...incidentChangePorts, 'outbox', 'reports'] as const;
type PostMortemSession = Session<(typeof postMortemPorts)[number]>;

export interface PostMortem extends PostMortemFindings {
  readonly incidentId: Incident['id'];
  readonly markdown: string;
  /** Where it is kept, once it is. */
  readonly key?: string;
}

export async function draftPostMortem({ ports, operations, clock }: PostMortemSession, incident: Incident): Promise<PostMortem> {
  const now = clock.now();
  const [timeline, pages] = await Promise.all([ports.incidents.timeline(incident.id), ports.outbox.of(incident.id)]);
  const sources = {
    ...{ incident, timeline, pages },
    ...{ clocks: incidentClocks(incident, timeline, now), phases: phaseClocks(incident, timeline, now) },
  };
  return { incidentId: incident.id, markdown: postMortemMarkdown(sources, operations.incidents, now), ...postMortemFindings(sources) };
}

/** Into the evidence bucket of the incident's home; each time under a name of its own. */
export async function keepPostMortem(
  session: PostMortemSession,
  incident: Incident,
  drafted: PostMortem,
  actor: ReturnType<typeof actorOf>,
): Promise<PostMortem> {
  const key = evidenceKey(incident, `post-mortem-${timeSlug(session.clock.now())}.md`);
  await session.ports.reports.put(incident.home, key, Buffer.from(drafted.markdown), 'text/markdown; charset=utf-8');
  await carryOut(
    session,
    incident,
    {
      ...{ action: 'keep-post-mortem', details: { key } },
      decide: (stored, wanted) => addLink(stored, { ...wanted, link: { kind: 'evidence', ref: key }, says: `post-mortem drafted: ${key}` }),
    },
    actor,
  );
  return { ...drafted, key };
}
