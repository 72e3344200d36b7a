import { Conflict } from '../../common/errors.ts';
import { isFree } from '../paging/take.ts';
import type { Outbox } from '../ports.ts';
import type { Look } from './look.ts';

/**
 * Withdraws pages of the policy that are not wanted any more: somebody answered, it is resolved, paused, or begins anew. A page that somebody is sending is left to them; one
 * whose sender has died is withdrawn too.
 */
export async function withdraw({ pages, sent }: Look, outbox: Outbox, now: Date): Promise<void> {
  const wanted = new Set(pages.map(({ pageId }) => pageId));
  const ofPolicy = sent.filter(({ reason }) => reason !== 'digest' && reason !== 'synthetic');
  for (const page of ofPolicy.filter((each) => isFree(each, now) && !wanted.has(each.pageId))) {
    try {
      await outbox.update({ ...page, status: 'not-needed' });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error; // a sender was faster: the page goes out
    }
  }
}
