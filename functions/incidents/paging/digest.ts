import { createHash } from 'node:crypto';
import { timestamp } from '../../common/ids.ts';
import { IncidentId, type Page } from '../models.ts';
import type { SendingContext } from './sending.ts';
import { accept, fail, release } from './take.ts';

/** What the outbox says of a page that goes out as a part of a digest. */
const digestMark = 'digest ';
export const inDigest = (digestId: string): string => `${digestMark}${digestId}`.slice(0, 300);
export const digestOf = ({ receipt }: Page): string | undefined =>
  receipt?.startsWith(digestMark) ? receipt.slice(digestMark.length) : undefined;

/** The pages that a digest stands for, among those that are not settled. */
export const membersOf = ({ pageId }: Page, unsettled: readonly Page[]): readonly Page[] =>
  unsettled.filter((page) => digestOf(page) === pageId);

/**
 * A page that stands for several of one person by one method. Its id says for which, so that whoever repeats it makes the same one; it ends as the ids of all pages do,
 * with the person and the place of the method.
 *
 * @param members the worst first
 */
function digestPage(members: readonly Page[], now: Date): Page | undefined {
  const [worst] = members;
  if (!worst) return undefined;
  const ids = members.map(({ pageId }) => pageId).sort();
  const digest = createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 16);
  const { incidentId, home, person, method } = worst;
  return {
    pageId: [incidentId, 'digest', digest, ...worst.pageId.split('/').slice(-2)].join('/'),
    ...{ incidentId, home, person, method },
    reason: 'digest',
    dueAt: timestamp(now),
    status: 'pending',
    attempts: 0,
    version: 0,
  };
}

/**
 * What is to become of a page that went into a digest whose sender has died.
 *
 * @returns the page where it is on its own again: its digest was never written down, or dropped
 */
export async function settleByDigest(page: Page, context: SendingContext): Promise<Page | undefined> {
  const digestId = digestOf(page);
  if (digestId === undefined) return page;
  const [incidentId] = digestId.split('/');
  const digest = (await context.outbox.of(IncidentId.parse(incidentId))).find(({ pageId }) => pageId === digestId);
  switch (digest?.status) {
    case 'accepted':
      await accept(page, inDigest(digestId), context);
      return undefined;
    case 'failed':
      await fail(page, digest.receipt ?? 'its digest was not taken', context);
      return undefined;
    case 'pending':
    case 'sending':
      return undefined; // whoever sends the digest settles it
    case 'not-needed':
    case undefined:
      return release(page, context);
  }
}

/** Pages are taken side by side, not all at once. */
const sideBySide = 25;

/**
 * Puts pages into one digest: each is taken with the digest's id as its mark, then the digest is written down, to be sent as any page is. Whoever finds marked pages
 * later reads what became of their digest (`settleByDigest`), so that a crash anywhere loses none of them.
 *
 * @param take takes one for the digest; false when it is not wanted any more, or somebody else was faster
 * @returns the digest's page; undefined when no page was left for it
 */
export async function fold(
  members: readonly Page[],
  take: (page: Page, mark: string) => Promise<boolean>,
  { outbox, clock }: Pick<SendingContext, 'outbox' | 'clock'>,
): Promise<Page | undefined> {
  const digest = digestPage(members, clock.now());
  if (!digest) return undefined;
  let taken = 0;
  for (let from = 0; from < members.length; from += sideBySide) {
    const some = await Promise.all(members.slice(from, from + sideBySide).map((page) => take(page, inDigest(digest.pageId))));
    taken += some.filter(Boolean).length;
  }
  if (taken === 0) return undefined;
  return (await outbox.add(digest)) ? digest : undefined;
}
