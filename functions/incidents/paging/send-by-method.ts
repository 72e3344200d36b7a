import type { Severity } from '../../common/incident-policy.ts';
import type { Page } from '../models.ts';
import type { Recipient } from '../ports.ts';
import { contactKey } from './contact.ts';
import { deliver } from './deliver.ts';
import { fold } from './digest.ts';
import { paceOf } from './pace.ts';
import { takePlace } from './place.ts';
import type { SendingContext } from './sending.ts';
import { take } from './take.ts';
import { stillWanted } from './wanted.ts';

/** A page that waits for its channel. */
export interface Letter {
  readonly page: Page;
  readonly severity: Severity;
  readonly to: Recipient;
}

export interface Channel {
  readonly method: Page['method'];
  readonly perSecond: number;
  /** Every page of this channel that is due now, of whatever incident. */
  waiting(): Promise<readonly Letter[]>;
}

/** Those of severity 1 and the daily test go out alone, however many there are. */
const mayFold = ({ page, severity }: Letter): boolean => severity > 1 && page.reason !== 'synthetic' && page.reason !== 'digest';

const worstFirst = (a: Letter, b: Letter): number =>
  a.severity - b.severity || Date.parse(a.page.dueAt) - Date.parse(b.page.dueAt) || (a.page.pageId < b.page.pageId ? -1 : 1);

const isTogether = (a: Letter, b: Letter): boolean => a.to.person === b.to.person && contactKey(a.to.method) === contactKey(b.to.method);

/** A place that is older is given up: by then the window has moved on. */
const placeLastsMilliseconds = 200;

/**
 * Sends pages of one channel, as fast as all senders of the Region together may. Before each page: is it wanted still? - a place in the channel - take it - hand it over.
 * Answers are awaited side by side, so that a channel that hangs does not hold back what comes after.
 *
 * Beyond the rate, whoever has a place spends it on putting everything that waits for the same person into one digest: as few senders as the channel has places do so at
 * a time, however many wait.
 *
 * @returns how many are left because time is over
 */
export async function sendByMethod(letters: readonly Letter[], channel: Channel, until: Date, context: SendingContext): Promise<number> {
  const { clock } = context;
  const pace = paceOf(channel.perSecond);
  let queue = [...letters];
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let [beyondRate, placeUntil] = [false, 0];

  const start = (letter: Letter, work: Promise<Page | undefined>) => {
    const ended: Promise<void> = work
      .then((again) => void (again && queue.push({ ...letter, page: again })))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(ended));
    underWay.add(ended);
  };

  while ((queue.length > 0 || underWay.size > 0) && failures.length === 0) {
    const [next] = queue.sort(worstFirst);
    if (!next) {
      await Promise.race(underWay);
      continue;
    }
    const wanted = await stillWanted(next.page, context);
    if (!wanted) {
      queue = queue.filter((each) => each !== next);
      continue;
    }
    if (clock.now().getTime() >= placeUntil) {
      const { granted, askAgainAt } = await takePlace(context, channel.method, pace, next.severity === 1);
      if (!granted) {
        beyondRate = true;
        if (askAgainAt >= until) break;
        await clock.sleep(Math.max(1, askAgainAt.getTime() - clock.now().getTime()));
        continue;
      }
      placeUntil = clock.now().getTime() + placeLastsMilliseconds;
    }
    const together = beyondRate && mayFold(next) ? (await channel.waiting()).filter((each) => mayFold(each) && isTogether(each, next)) : [];
    if (together.length > 1) {
      placeUntil = 0;
      const digest = await foldLetters([...together].sort(worstFirst), context);
      queue = [...queue.filter((each) => !(mayFold(each) && isTogether(each, next))), ...(digest ? [{ ...next, page: digest }] : [])];
      continue;
    }
    queue = queue.filter((each) => each !== next);
    const taken = await take(wanted.page, context);
    if (!taken) continue; // the place is for the next one
    placeUntil = 0;
    start(next, deliver(taken, wanted, next.to, context));
  }
  await Promise.all(underWay);
  if (failures.length > 0) throw failures[0];
  return queue.length;
}

/** Only what is wanted still, and nobody else has in hand, goes into the digest. */
const foldLetters = (letters: readonly Letter[], context: SendingContext): Promise<Page | undefined> =>
  fold(
    letters.map(({ page }) => page),
    async (page, mark) => {
      const wanted = await stillWanted(page, context);
      return wanted !== undefined && (await take(wanted.page, context, mark)) !== undefined;
    },
    context,
  );
