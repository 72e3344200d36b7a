import { secondsBetween } from '../../common/duration.ts';
import { CodeblueError, messageOf } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { lookAt } from '../escalation/look.ts';
import type { Incident, Page } from '../models.ts';
import type { Recipient } from '../ports.ts';
import { incidentFacts, testFacts } from './page-facts.ts';
import { type PageFacts, pageText } from './page-text.ts';
import { mostAttempts, type SendingContext } from './sending.ts';
import { accept, drop, fail, release, take } from './take.ts';

/** What a channel said. `again`: it did not answer, and may be asked once more. */
export type Answer = { readonly kind: 'accepted'; readonly receipt: string } | { readonly kind: 'refused' | 'again'; readonly why: string };

/** Hands a page that was taken to its channel. */
export async function handOver(page: Page, to: Recipient, facts: PageFacts, { channels, log }: SendingContext): Promise<Answer> {
  try {
    return { kind: 'accepted', receipt: await channels.send({ ...to, pageId: page.pageId }, pageText(facts)) };
  } catch (error) {
    const why = messageOf(error);
    log.warn('a channel did not take a page', { pageId: page.pageId, method: page.method, why });
    const canPass = !(error instanceof CodeblueError) || error.retryable;
    return { kind: canPass && page.attempts < mostAttempts ? 'again' : 'refused', why };
  }
}

/** The incident with its pages so far; undefined when the page is not wanted any more, which is written down, or cannot be told. */
export async function stillWanted(
  page: Page,
  context: SendingContext,
): Promise<{ readonly incident: Incident; readonly sent: readonly Page[] } | undefined> {
  const incident = await context.incidents.get(page.incidentId);
  if (!incident) {
    context.log.error('a page has no incident', { pageId: page.pageId });
    return undefined;
  }
  const { pages, sent } = await lookAt(incident, context, context.clock.now());
  if (pages.some(({ pageId }) => pageId === page.pageId)) return { incident, sent };
  await drop(page, context);
  return undefined;
}

/**
 * Sends one page: is it wanted still? - take it - hand it to its channel - write down what came of it. Whoever dies in between leaves a page that is taken again after
 * 30 s; only between the channel's answer and the line after it can that repeat a page (ADR 9).
 *
 * @returns the page where it is to be tried again
 */
export async function deliver(page: Page, to: Recipient, context: SendingContext): Promise<Page | undefined> {
  const wanted = page.reason === 'synthetic' ? undefined : await stillWanted(page, context);
  if (!wanted && page.reason !== 'synthetic') return undefined;
  const facts = wanted ? await incidentFacts(page, wanted.incident, wanted, context) : testFacts(page);
  const taken = await take(page, context);
  if (!taken) return undefined;
  const answer = await handOver(taken, to, facts, context);
  if (answer.kind === 'again') return release(taken, context);
  if (answer.kind === 'accepted') await accept(taken, answer.receipt, context);
  else await fail(taken, answer.why, context);
  await tell([taken], answer, context);
  return undefined;
}

/** What came of pages: a line of their incidents' timelines, and figures. */
export async function tell(pages: readonly Page[], answer: Exclude<Answer, { kind: 'again' }>, context: SendingContext): Promise<void> {
  const { incidents, metrics, clock } = context;
  const now = clock.now();
  const put = (name: string, value: number, unit: 'Seconds' | 'Count', method: string) =>
    metrics.put({ capability: 'incidents', name, value, unit, dimensions: { Method: method } });
  for (const page of pages) {
    const says =
      answer.kind === 'accepted'
        ? `${page.person} was told by ${page.method} (page ${page.pageId})`
        : `${page.method} did not take the page to ${page.person}: ${answer.why} (page ${page.pageId})`;
    if (page.reason !== 'synthetic') {
      await incidents.append(page.incidentId, [{ at: timestamp(now), kind: 'page', by: 'codeblue/paging', says: says.slice(0, 1000) }]);
    }
    if (answer.kind === 'refused') await put(metricNames.incidents.pagesFailed, 1, 'Count', page.method);
    else await put(metricNames.incidents.pageSeconds, secondsBetween(new Date(page.dueAt), now), 'Seconds', page.method);
  }
}
