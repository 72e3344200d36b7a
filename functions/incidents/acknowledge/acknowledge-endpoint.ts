import { createHash } from 'node:crypto';
import { audited } from '../../audit/audited.ts';
import { seconds } from '../../common/duration.ts';
import { defineEndpoint, type HttpRequest, type HttpResponse } from '../../common/endpoint.ts';
import { InvalidInput } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { acknowledge } from '../incident/acknowledge.ts';
import { changeStored } from '../incident/change-stored.ts';
import type { AcknowledgeLink, Incident } from '../models.ts';
import { answerPage } from './answer-page.ts';
import { type Judgement, judgeLink, type LinkContext, linkNeeds, type Refusal } from './judge-link.ts';

/**
 * Where the link of a page leads. GET shows what it is about and a button, POST acknowledges: mail scanners follow links, and must not answer for a person. Who holds the
 * link is the person that it was sent to.
 */
export const acknowledgeEndpoint = defineEndpoint({
  name: 'acknowledge-endpoint',
  summary: 'Acknowledges an incident for whoever opens the signed link of a page and presses its button.',
  timeout: seconds(15),
  memoryMegabytes: 256,
  concurrency: 10,
  openBecause:
    'people answer a page from a telephone that has no AWS credentials; every link is signed, for one person and one use, and ends soon',
  needs: linkNeeds,
  answer: answerLink,
});

async function answerLink({ method, path }: HttpRequest, context: LinkContext): Promise<HttpResponse> {
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return { ...refusalPage('forged'), status: 405 };
  const token = path.replace(/^\/+/, '');
  const judged = await judgeLink(token, context);
  if (judged.kind === 'refused') {
    // A look at an old link is not an attempt to use it; a forged one is looked at by nobody else.
    if (method === 'POST' || judged.why === 'forged') await auditRefusal(token, judged, judged.why, context);
    return refusalPage(judged.why, judged.incident);
  }
  if (method === 'POST') return useLink(token, judged, context);
  return askPage(judged);
}

type Good = Extract<Judgement, { kind: 'good' }>;

const nameOf = ({ operations }: LinkContext, { severity }: Incident): string => operations.incidents.severities[severity].name;

function askPage({ incident, link }: Good): HttpResponse {
  return answerPage({
    status: 200,
    title: `Severity ${incident.severity}: acknowledge?`,
    lines: [...aboutLines(incident), `You answer as ${link.person}. From then on you work on it, and nobody else is told.`],
    button: `Acknowledge as ${link.person}`,
  });
}

const aboutLines = (incident: Incident): readonly string[] => [
  ...incident.troubles
    .filter(({ status }) => status === 'firing')
    .slice(0, 5)
    .map(({ alarm, subject, region }) => `${alarm} of ${subject} in ${region}`),
  `${incident.id}, open since ${incident.openedAt.slice(0, 16).replace('T', ' ')} UTC.`,
];

/**
 * Spends the link, then acknowledges. Whoever dies in between has spent it for nothing: so a spent link still does what it was spent for, as long as its person has not
 * acknowledged since the page was due; after that it does nothing any more.
 */
async function useLink(token: string, { link, page }: Good, context: LinkContext): Promise<HttpResponse> {
  const { incidents, operations } = context;
  const firstUse = await incidents.spend(link.nonce, new Date(link.expiresAt));
  const incident = await incidents.get(link.incidentId);
  const hasAnswered = ({ acknowledgements }: Incident) => acknowledgements.some(({ by, at }) => by === link.person && at >= page.dueAt);
  if (!firstUse && incident && hasAnswered(incident)) {
    await auditRefusal(token, { incident, link }, 'spent', context);
    return refusalPage('spent', incident);
  }
  const act = {
    actor: `person/${link.person}`,
    action: 'acknowledge-by-link',
    resource: link.incidentId,
    details: { page: link.pageId, link: digestOf(token) },
  };
  try {
    const changed = await audited(context, act, () =>
      changeStored(
        link.incidentId,
        (stored, now) =>
          hasAnswered(stored) // the same button, pressed twice at once
            ? { kind: 'unchanged', says: `${link.person} has acknowledged ${link.incidentId} already` }
            : acknowledge(stored, { by: link.person, now }, operations.incidents),
        context,
      ),
    );
    return answerPage({
      status: 200,
      title: 'Acknowledged',
      lines: [`${changed.says}.`, `It is a ${nameOf(context, changed.incident)}. Next: codeblue incident show ${link.incidentId}`],
    });
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return answerPage({ status: 409, title: 'Not acknowledged', lines: [`${error.message}.`, error.hint ?? ''] });
  }
}

const words: Readonly<Record<Refusal | 'spent', { readonly status: number; readonly title: string; readonly says: string }>> = {
  forged: { status: 403, title: 'Not a link of ours', says: 'It was not made here, or it was changed or cut on its way.' },
  'foreign-home': { status: 403, title: 'Not a link of this Region', says: 'Its incident belongs to another Region.' },
  'unknown-page': { status: 404, title: 'Nothing to acknowledge', says: 'There is no such page.' },
  expired: { status: 410, title: 'The link is over', says: 'It was good for a while only.' },
  outdated: {
    status: 410,
    title: 'The link is over',
    says: 'The incident began anew since this page was sent: a newer page has a newer link.',
  },
  over: { status: 200, title: 'It is over', says: 'The incident is resolved, or goes on as another one. Nothing is to be done here.' },
  spent: { status: 410, title: 'The link was used', says: 'It acknowledged once. To say that you still work on it:' },
};

function refusalPage(why: Refusal | 'spent', incident?: Incident): HttpResponse {
  const { status, title, says } = words[why];
  const command = incident && why !== 'over' ? [`codeblue incident ack ${incident.id}`] : [];
  return answerPage({ status, title, lines: [says, ...command] });
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex').slice(0, 16);

/** One event for one link, reason and minute: whoever tries links by the thousand fills no log with one of them. */
async function auditRefusal(
  token: string,
  { incident, link }: { readonly incident?: Incident | undefined; readonly link?: AcknowledgeLink | undefined },
  why: Refusal | 'spent',
  { auditLog, clock, region, log }: LinkContext,
): Promise<void> {
  const now = timestamp(clock.now());
  const actId = `refuse-link:${digestOf(token)}:${why}:${now.slice(0, 16)}`;
  log.warn('a link was refused', { why, link: digestOf(token) });
  await auditLog.record({
    eventId: `${actId}:outcome`,
    actId,
    phase: 'outcome',
    at: now,
    actor: link ? `person/${link.person}` : 'nobody',
    action: 'acknowledge-by-link',
    resource: incident?.id ?? 'unknown',
    region,
    outcome: 'failure',
    details: { why, link: digestOf(token), ...(link ? { page: link.pageId } : {}) },
  });
}
