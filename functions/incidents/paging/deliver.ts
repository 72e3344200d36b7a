import { secondsBetween } from '../../common/duration.ts';
import { CodeblueError, messageOf } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import type { Incident, Page } from '../models.ts';
import type { Recipient } from '../ports.ts';
import { inDigest, membersOf } from './digest.ts';
import { digestFacts, incidentFacts, testFacts } from './page-facts.ts';
import { type PageFacts, pageText } from './page-text.ts';
import { mostAttempts, type SendingContext } from './sending.ts';
import { accept, fail, release } from './take.ts';
import type { Wanted } from './wanted.ts';

/** What a channel said. `again`: it did not answer, and may be asked once more. */
type Answer = { readonly kind: 'accepted'; readonly receipt: string } | { readonly kind: 'refused' | 'again'; readonly why: string };

/**
 * Hands a page that was taken to its channel, and writes down what came of it: of the page, or of the digest and the pages that it stands for. Whoever dies in between
 * leaves pages that are taken again after 30 s; only between the channel's answer and the line after it can that repeat a page (ADR 9).
 *
 * @returns the page where it is to be tried again
 */
export async function deliver(taken: Page, wanted: Wanted, to: Recipient, context: SendingContext): Promise<Page | undefined> {
  const members = taken.reason === 'digest' ? membersOf(taken, await unsettled(context)) : [];
  const answer = await handOver(taken, to, await factsOf(taken, wanted, members, context), context);
  if (answer.kind === 'again') return release(taken, context);
  await settle(taken, answer, answer.kind === 'accepted' ? answer.receipt : '', context);
  for (const member of members) await settle(member, answer, inDigest(taken.pageId), context);
  await tell(taken.reason === 'digest' ? members : [taken], answer, context);
  return undefined;
}

/** The members of a digest were due before it, so they come first. */
const unsettled = ({ outbox, clock }: SendingContext): Promise<readonly Page[]> => outbox.unsent(clock.now(), 1000);

async function factsOf(page: Page, wanted: Wanted, members: readonly Page[], context: SendingContext): Promise<PageFacts> {
  if (wanted.kind === 'test') return testFacts(page);
  if (wanted.kind === 'page') return incidentFacts(page, wanted.incident, wanted, context);
  const ids = [...new Set(members.map(({ incidentId }) => incidentId))];
  const incidents = await Promise.all(ids.map((id) => context.incidents.get(id)));
  const [worst = wanted.incident] = incidents
    .flatMap((each): readonly Incident[] => (each ? [each] : []))
    .sort((a, b) => a.severity - b.severity);
  return digestFacts(worst, Math.max(1, ids.length));
}

async function handOver(page: Page, to: Recipient, facts: PageFacts, { channels, log }: SendingContext): Promise<Answer> {
  try {
    return { kind: 'accepted', receipt: await channels.send({ ...to, pageId: page.pageId }, pageText(facts)) };
  } catch (error) {
    const why = messageOf(error);
    log.warn('a channel did not take a page', { pageId: page.pageId, method: page.method, why });
    const canPass = !(error instanceof CodeblueError) || error.retryable;
    return { kind: canPass && page.attempts < mostAttempts ? 'again' : 'refused', why };
  }
}

const settle = (
  page: Page,
  answer: Exclude<Answer, { kind: 'again' }> | Answer,
  receipt: string,
  context: SendingContext,
): Promise<void> => (answer.kind === 'accepted' ? accept(page, receipt, context) : fail(page, answer.why, context));

/** What came of pages: a line of their incidents' timelines, and figures. */
async function tell(pages: readonly Page[], answer: Answer, context: SendingContext): Promise<void> {
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
    if (answer.kind === 'accepted')
      await put(metricNames.incidents.pageSeconds, secondsBetween(new Date(page.dueAt), now), 'Seconds', page.method);
    else await put(metricNames.incidents.pagesFailed, 1, 'Count', page.method);
  }
}
