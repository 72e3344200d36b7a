import { createHash } from 'node:crypto';
import { timestamp } from '../../common/ids.ts';
import { type Incident, IncidentId, type Page } from '../models.ts';
import type { Recipient } from '../ports.ts';
import { handOver, stillWanted, tell } from './deliver.ts';
import { digestFacts } from './page-facts.ts';
import { holdMilliseconds, type SendingContext } from './sending.ts';
import { accept, digestOf, drop, fail, inDigest, release, take } from './take.ts';

/** Pages of one person by one method that go out as one; the worst first. */
export interface Digest {
  readonly digestId: string;
  readonly members: readonly Page[];
}

/** Its id says which pages it stands for, so that whoever repeats it makes the same one. Ends as the ids of all pages do: the person, and the place of the method. */
export function digestFor(members: readonly Page[]): Digest | undefined {
  const [worst] = members;
  if (!worst) return undefined;
  const digest = createHash('sha256')
    .update(
      members
        .map(({ pageId }) => pageId)
        .sort()
        .join('\n'),
    )
    .digest('hex')
    .slice(0, 16);
  const place = worst.pageId.split('/').slice(-2);
  return { digestId: [worst.incidentId, 'digest', digest, ...place].join('/'), members };
}

/**
 * Sends several pages as one. Each is taken with the digest's id as its mark, then the digest is written down beside them, sent, and settled; then they are. Whoever
 * finds marked pages later reads what became of their digest (`settleByDigest`), so that a crash anywhere loses none of them.
 *
 * @returns the digest's page where it is to be tried again
 */
export async function deliverDigest({ digestId, members }: Digest, to: Recipient, context: SendingContext): Promise<Page | undefined> {
  const held: { page: Page; incident: Incident }[] = [];
  for (const member of members) {
    const wanted = await stillWanted(member, context);
    const taken = wanted && (await take(member, context, digestId));
    if (taken) held.push({ page: taken, incident: wanted.incident });
  }
  const worst = [...held].sort((a, b) => a.incident.severity - b.incident.severity)[0];
  if (!worst) return undefined;
  const digest = await ownDigestPage(digestId, worst.page, context);
  const pages = held.map(({ page }) => page);
  if (!digest) return undefined; // another sender has it in hand, and settles its members
  return sendDigest(digest, pages, worst.incident, to, context);
}

/** The pages that a digest stands for, among those that are not settled. */
export const membersOf = ({ pageId }: Page, unsent: readonly Page[]): readonly Page[] => unsent.filter((page) => digestOf(page) === pageId);

/** Sends a digest that somebody began and left: its members are those of the unsent pages that are marked with it. */
export async function resumeDigest(page: Page, marked: readonly Page[], to: Recipient, context: SendingContext): Promise<Page | undefined> {
  const incident = await context.incidents.get(page.incidentId);
  if (!incident || marked.length === 0) {
    await drop(page, context);
    return undefined;
  }
  const taken = await take(page, context);
  return taken && sendDigest(taken, marked, incident, to, context);
}

async function sendDigest(
  digest: Page,
  pages: readonly Page[],
  worst: Incident,
  to: Recipient,
  context: SendingContext,
): Promise<Page | undefined> {
  const incidents = new Set(pages.map(({ incidentId }) => incidentId)).size;
  const answer = await handOver(digest, to, digestFacts(worst, incidents), context);
  if (answer.kind === 'again') return release(digest, context);
  if (answer.kind === 'accepted') await accept(digest, answer.receipt, context);
  else await fail(digest, answer.why, context);
  for (const page of pages) {
    if (answer.kind === 'accepted') await accept(page, inDigest(digest.pageId), context);
    else await fail(page, answer.why, context);
  }
  await tell(pages, answer, context);
  return undefined;
}

/** Writes the digest down as taken. @returns undefined when another sender has one of that id */
async function ownDigestPage(digestId: string, worst: Page, { outbox, clock }: SendingContext): Promise<Page | undefined> {
  const now = clock.now();
  const page: Page = {
    pageId: digestId,
    incidentId: worst.incidentId,
    home: worst.home,
    person: worst.person,
    method: worst.method,
    reason: 'digest',
    dueAt: timestamp(now),
    status: 'sending',
    takenUntil: timestamp(new Date(now.getTime() + holdMilliseconds)),
    attempts: 1,
    version: 0,
  };
  return (await outbox.add(page)) ? page : undefined;
}

/**
 * What is to become of a page that went into a digest whose sender has died.
 *
 * @returns the page where it is on its own again: its digest was never written down
 */
export async function settleByDigest(page: Page, context: SendingContext): Promise<Page | undefined> {
  const digestId = digestOf(page);
  if (digestId === undefined) return page;
  const [incidentId] = digestId.split('/');
  const among = await context.outbox.of(IncidentId.parse(incidentId));
  const digest = among.find(({ pageId }) => pageId === digestId);
  if (!digest) return release(page, context);
  if (digest.status === 'accepted') await accept(page, inDigest(digestId), context);
  else if (digest.status === 'failed') await fail(page, digest.receipt ?? 'its digest was not taken', context);
  else if (digest.status === 'not-needed') return release(page, context);
  return undefined; // whoever sends the digest settles it
}
