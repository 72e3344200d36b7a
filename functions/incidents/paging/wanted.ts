import { lookAt } from '../escalation/look.ts';
import type { Incident, Page } from '../models.ts';
import { membersOf } from './digest.ts';
import type { SendingContext } from './sending.ts';
import { drop, isFree } from './take.ts';

/** A page that is to be sent now, as it is stored now. */
export type Wanted =
  | { readonly kind: 'page'; readonly page: Page; readonly incident: Incident; readonly sent: readonly Page[] }
  | { readonly kind: 'digest'; readonly page: Page; readonly incident: Incident }
  | { readonly kind: 'test'; readonly page: Page };

/**
 * Looks at a page once more, right before it is sent: somebody may have answered while it waited for its channel, or have taken it.
 *
 * @returns undefined when it is not to be sent; one that nobody wants any more is written down as that
 * @throws ServiceUnavailable
 */
export async function stillWanted({ pageId, incidentId, reason }: Page, context: SendingContext): Promise<Wanted | undefined> {
  const { incidents, outbox, clock, log } = context;
  const incident = reason === 'synthetic' ? undefined : await incidents.get(incidentId);
  if (!incident && reason !== 'synthetic') {
    log.error('a page has no incident', { pageId });
    return undefined;
  }
  const look = incident && reason !== 'digest' ? await lookAt(incident, context, clock.now()) : undefined;
  const sent = look?.sent ?? (await outbox.of(incidentId));
  const page = sent.find((each) => each.pageId === pageId);
  if (!page || !isFree(page, clock.now())) return undefined;
  if (!incident) return { kind: 'test', page };
  if (look?.pages.some((each) => each.pageId === pageId)) return { kind: 'page', page, incident, sent };
  if (!look && membersOf(page, await outbox.unsent(clock.now(), 1000)).length > 0) return { kind: 'digest', page, incident };
  await drop(page, context);
  return undefined;
}
