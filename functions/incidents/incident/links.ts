import type { Incident } from '../models.ts';
import { line, refused, type Transition, type Wanted } from './transition.ts';

export type IncidentLink = Incident['links'][number];

const mostLinks = 100;

/** With the link, once. */
export const linked = (incident: Incident, { kind, ref }: IncidentLink): Incident =>
  hasLink(incident, { kind, ref }) ? incident : { ...incident, links: [...incident.links, { kind, ref }] };

const hasLink = ({ links }: Incident, { kind, ref }: IncidentLink): boolean => links.some((each) => each.kind === kind && each.ref === ref);

/** Executions, evidence, audit events, proofs and other incidents that belong to it; also when it is over. */
export function addLink(incident: Incident, wanted: Wanted & { readonly link: IncidentLink; readonly says?: string }): Transition {
  const { link } = wanted;
  if (hasLink(incident, link)) return { kind: 'unchanged', says: `${incident.id} has that link already` };
  if (incident.links.length >= mostLinks) {
    return refused(`${incident.id} has ${mostLinks} links already`, `Write it into a note: codeblue incident note ${incident.id} "..."`);
  }
  const says = wanted.says ?? `linked ${link.kind} ${link.ref}`;
  return { kind: 'done', incident: linked(incident, link), entries: [line('note', wanted, says)], says: `${incident.id}: ${says}` };
}
