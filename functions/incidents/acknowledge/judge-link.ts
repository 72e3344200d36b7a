import type { PortsFor } from '../../common/ports.ts';
import type { TaskContext } from '../../common/task.ts';
import { isOver } from '../is-over.ts';
import type { AcknowledgeLink, Incident, Page } from '../models.ts';
import { openLink } from './link.ts';

export const linkNeeds = ['incidents:write', 'outbox:read', 'link-signer:verify'] as const;
export type LinkContext = PortsFor<(typeof linkNeeds)[number]> & TaskContext;

/** Why a link acknowledges nothing; the audit log has these words. */
export type Refusal = 'forged' | 'foreign-home' | 'unknown-page' | 'expired' | 'outdated' | 'over';

export type Judgement =
  | { readonly kind: 'good'; readonly link: AcknowledgeLink; readonly incident: Incident; readonly page: Page }
  | { readonly kind: 'refused'; readonly why: Refusal; readonly incident?: Incident; readonly link?: AcknowledgeLink };

/**
 * What a link is good for, now. Nothing is looked up for what this Region's key did not sign. Whether it was used before is only known when it is spent.
 *
 * @param token the path without its slash
 * @throws ServiceUnavailable
 */
export async function judgeLink(token: string, context: LinkContext): Promise<Judgement> {
  const opened = await openLink(token, context);
  if (!opened) return { kind: 'refused', why: 'forged' };
  const [incident, pages] = await Promise.all([context.incidents.get(opened.incidentId), context.outbox.of(opened.incidentId)]);
  const link = opened.linkOf(pages);
  const page = pages.find(({ pageId }) => pageId === link?.pageId);
  if (!incident || !link || !page) return { kind: 'refused', why: 'unknown-page' };
  const refused = (why: Refusal): Judgement => ({ kind: 'refused', why, incident, link });
  if (incident.home !== context.region || link.home !== context.region) return refused('foreign-home');
  if (context.clock.now() >= opened.expiresAt) return refused('expired');
  if (isOver(incident)) return refused('over');
  if (generationOf(page) !== incident.generation) return refused('outdated');
  return { kind: 'good', link, incident, page };
}

/** `<incident>/<generation>/...` */
const generationOf = ({ pageId }: Page): number => Number(pageId.split('/')[1]);
