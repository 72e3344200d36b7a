import { messageOf } from '../../common/errors.ts';
import { acknowledgeUrl } from '../acknowledge/link.ts';
import type { Look } from '../escalation/look.ts';
import type { Incident, Page } from '../models.ts';
import type { PageFacts } from './page-text.ts';
import type { SendingContext } from './sending.ts';

/** The trouble that a page names: the worst that rings, and of those the first. */
function headTrouble({ troubles }: Incident): Incident['troubles'][number] | undefined {
  const firing = troubles.filter(({ status }) => status === 'firing');
  return [...(firing.length > 0 ? firing : troubles)].sort(
    (a, b) => a.severity - b.severity || Date.parse(a.firstAt) - Date.parse(b.firstAt),
  )[0];
}

/** What a page of one incident says, with a link to acknowledge it where one can be signed. */
export async function incidentFacts(
  page: Page,
  incident: Incident,
  { sent }: Pick<Look, 'sent'>,
  context: SendingContext,
): Promise<PageFacts> {
  const { troubles } = incident;
  const link = await linkFor(page, context);
  return {
    kind: 'incident',
    ...aboutOf(incident),
    openedAt: incident.openedAt,
    firing: troubles.filter(({ status }) => status === 'firing').length,
    signals: troubles.reduce((sum, { signals }) => sum + signals, 0),
    attempt: 1 + stepsToldBefore(page, sent),
    ...(link ? { acknowledgeUrl: link } : {}),
  };
}

/** @param worst of the incidents of the digest */
export const digestFacts = (worst: Incident, incidents: number): PageFacts => ({ kind: 'digest', ...aboutOf(worst), incidents });

export const testFacts = ({ incidentId, home, dueAt }: Page): PageFacts => ({
  kind: 'test',
  incidentId,
  severity: 4,
  region: home,
  at: dueAt,
});

function aboutOf(incident: Incident) {
  const head = headTrouble(incident);
  if (!head) throw new TypeError(`${incident.id} has no trouble`); // the schema wants one at least
  return { incidentId: incident.id, severity: incident.severity, alarm: head.alarm, subject: head.subject, region: head.region };
}

/** A page does not wait for its link: without one, people acknowledge by the command that it names. */
async function linkFor(page: Page, context: SendingContext) {
  try {
    return await acknowledgeUrl(page, context, context.clock.now());
  } catch (error) {
    context.log.warn('a page goes out without a link', { pageId: page.pageId, error: messageOf(error) });
    return undefined;
  }
}

/** `<incident>/<generation>/<round>/<step>/...`: other steps of this generation whose page somebody's channel took. */
function stepsToldBefore(page: Page, sent: readonly Page[]): number {
  const stepOf = ({ pageId }: Page): string => pageId.split('/').slice(0, 4).join('/');
  const generation = page.pageId.split('/').slice(0, 2).join('/');
  const told = sent.filter((each) => each.status === 'accepted' && each.pageId.startsWith(`${generation}/`)).map(stepOf);
  return new Set(told.filter((step) => step !== stepOf(page))).size;
}
