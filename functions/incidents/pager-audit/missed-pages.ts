import type { DuePage } from '../escalation/due-pages.ts';
import type { Page } from '../models.ts';

/** A page that the policy wants and that nobody's channel took. */
export interface MissedPage {
  readonly page: DuePage;
  /** In words, of ids and times. */
  readonly says: string;
}

/**
 * What was due against what was sent (ADR 9, "The pager is audited"). A page that its channel refused is not missed when the person's next method took its place;
 * when it was the last one, nobody was told, and it is. One that a later step of the same stretch overtook was not sent on purpose.
 *
 * @param due by now, by `duePages`
 * @param sent of the incident, by the outbox
 */
export function missedPages(due: readonly DuePage[], sent: readonly Page[]): readonly MissedPage[] {
  const ids = new Set(due.map(({ pageId }) => pageId));
  return due
    .filter(({ overtaken }) => !overtaken)
    .flatMap((page) => {
      const stored = sent.find(({ pageId }) => pageId === page.pageId);
      if (stored?.status === 'accepted') return [];
      if (stored?.status === 'failed' && ids.has(nextMethod(page.pageId))) return [];
      return [{ page, says: `${page.person} by ${page.method}, due ${page.dueAt}: ${stateOf(stored)} (page ${page.pageId})` }];
    });
}

const stateOf = (stored: Page | undefined): string => {
  if (!stored) return 'never written down';
  if (stored.status === 'failed') return 'not taken by the last of its channels';
  return stored.status === 'not-needed' ? 'withdrawn, and wanted all the same' : `still ${stored.status}`;
};

/** The id that the same step has for the same person's next method. */
function nextMethod(pageId: string): string {
  const parts = pageId.split('/');
  return [...parts.slice(0, -1), Number(parts.at(-1)) + 1].join('/');
}
