import type { Severity } from '../../common/incident-policy.ts';
import { isSettled } from '../is-over.ts';
import type { Page } from '../models.ts';
import type { Recipient } from '../ports.ts';
import { contactKey } from './contact.ts';
import { deliver } from './deliver.ts';
import { deliverDigest, digestFor, membersOf, resumeDigest } from './digest.ts';
import { paceOf } from './pace.ts';
import { takePlace } from './place.ts';
import type { SendingContext } from './sending.ts';

/** A page that waits for its channel. */
export interface Letter {
  readonly page: Page;
  readonly severity: Severity;
  readonly to: Recipient;
  /** Of a digest that somebody began: the pages that it stands for. */
  readonly marked: readonly Page[];
}

/** Those of severity 1 and the daily test go out alone, however many there are. */
const maySum = ({ page, severity }: Letter): boolean => severity > 1 && page.reason !== 'synthetic' && page.reason !== 'digest';

const worstFirst = (a: Letter, b: Letter): number =>
  a.severity - b.severity || Date.parse(a.page.dueAt) - Date.parse(b.page.dueAt) || (a.page.pageId < b.page.pageId ? -1 : 1);

/**
 * Sends the pages of one channel, as fast as the channel may be used by all senders of the Region together. A place in it is taken before the page is, and a page is
 * handed over as soon as it is taken; answers are awaited side by side, so that a channel that hangs does not hold back what comes after.
 *
 * @returns how many are left because time is over
 */
export async function sendByMethod(letters: readonly Letter[], perSecond: number, until: Date, context: SendingContext): Promise<number> {
  const { clock } = context;
  const pace = paceOf(perSecond);
  const queue = [...letters].sort(worstFirst);
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let beyondRate = false;

  const start = (letter: readonly Letter[]) => {
    const work: Promise<void> = dispatch(letter, context)
      .then((again) => void queue.push(...again))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(work));
    underWay.add(work);
  };

  while ((queue.length > 0 || underWay.size > 0) && failures.length === 0) {
    const [next] = queue.sort(worstFirst);
    if (!next) {
      await Promise.race(underWay);
      continue;
    }
    const { granted, askAgainAt } = await takePlace(context, next.page.method, pace, next.severity === 1);
    if (granted) start(takeFrom(queue, beyondRate));
    else {
      beyondRate = true;
      if (askAgainAt >= until) break;
      await clock.sleep(Math.max(1, askAgainAt.getTime() - clock.now().getTime()));
    }
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  return queue.length;
}

/** The worst page; beyond the rate, with it all others to the same person by the same way that may go into a digest. */
function takeFrom(queue: Letter[], beyondRate: boolean): readonly Letter[] {
  const [first] = queue;
  if (!first) return [];
  const together = (each: Letter) =>
    maySum(each) && each.to.person === first.to.person && contactKey(each.to.method) === contactKey(first.to.method);
  const taken = beyondRate && maySum(first) ? queue.filter(together) : [first];
  const rest = queue.filter((each) => !taken.includes(each));
  queue.splice(0, queue.length, ...rest);
  return taken;
}

/** @returns what is to be tried again */
async function dispatch(letters: readonly Letter[], context: SendingContext): Promise<readonly Letter[]> {
  const [first] = letters;
  if (!first) return [];
  const { page, to, marked } = first;
  const digest = letters.length > 1 ? digestFor(letters.map((each) => each.page)) : undefined;
  const again = digest
    ? await deliverDigest(digest, to, context)
    : await (page.reason === 'digest' ? resumeDigest(page, marked, to, context) : deliver(page, to, context));
  if (!again) return [];
  const left = again.reason === 'digest' ? membersOf(again, await unsentOf(letters, context)) : [];
  return [{ ...first, page: again, marked: left }];
}

/** As they stand now, with the marks of their digest. */
async function unsentOf(letters: readonly Letter[], { outbox }: SendingContext): Promise<readonly Page[]> {
  const pages = letters.flatMap(({ page, marked }) => [page, ...marked]);
  const stored = await Promise.all([...new Set(pages.map(({ incidentId }) => incidentId))].map((id) => outbox.of(id)));
  return stored.flat().filter((page) => !isSettled(page));
}
