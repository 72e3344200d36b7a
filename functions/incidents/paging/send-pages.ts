import { messageOf } from '../../common/errors.ts';
import type { Severity } from '../../common/incident-policy.ts';
import type { IncidentId, Page } from '../models.ts';
import type { Recipient } from '../ports.ts';
import { contactOf } from './contact.ts';
import { digestOf, settleByDigest } from './digest.ts';
import { type Letter, sendByMethod } from './send-by-method.ts';
import type { SendingContext } from './sending.ts';
import { fail, isFree } from './take.ts';

/** Read at a time, oldest first. */
const mostPages = 500;
/** Pages of other incidents are left to their own senders for so long: beyond that those are dead, or wait for a channel. */
const othersMilliseconds = 15_000;
/** Kept free for what is under way when time is over. */
const marginMilliseconds = 25_000;

/** What became of the pages that one call took in hand. */
interface Sent {
  /** Left for the next call: time was over. */
  readonly left: number;
}

/**
 * Sends the pages of this Region that are due by `now`: worst severity first, each channel at its own rate, and beyond that one digest to each person for severities 2 to 4.
 * Any number of senders may run at once, and one may die anywhere: a page is taken by a conditional write for 30 s, so none is lost, and none is sent twice but where a
 * sender dies between a channel's answer and writing it down. A page that a channel refuses is `failed`: the person's next method is due then (`duePages`).
 *
 * @param first the incident that this sender is for: its pages go out however many others wait, and those of others only once they have waited for 15 s
 * @throws ServiceUnavailable when something cannot be read or written; the outbox has what is not sent
 */
export async function sendPages(context: SendingContext, now: Date, first?: IncidentId): Promise<Sent> {
  const { outbox, clock, deadline, operations, log } = context;
  const [own, others] = await Promise.all([first ? outbox.of(first) : [], outbox.unsent(now, mostPages)]);
  const isMine = (page: Page) =>
    first === undefined || page.incidentId === first || now.getTime() - Date.parse(page.dueAt) >= othersMilliseconds;
  const mine = [...new Map([...own, ...others.filter(isMine)].map((page) => [page.pageId, page])).values()];
  const letters = await lettersOf(await unbound(free(mine, context), context), context);

  const time = Math.max(deadline.getTime() - marginMilliseconds, clock.now().getTime());
  const byMethod = Map.groupBy(letters, ({ page }) => page.method);
  const ended = await Promise.allSettled(
    [...byMethod].map(([method, ofMethod]) => {
      const channel = { method, perSecond: operations.incidents.channels.perSecond[method], waiting: () => waitingFor(method, context) };
      return sendByMethod(ofMethod, channel, new Date(time), context);
    }),
  );
  const failures = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  for (const error of failures) log.error('pages of a channel could not be sent', { error: messageOf(error) });
  if (failures.length > 0) throw failures[0];
  return { left: ended.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0) };
}

const free = (pages: readonly Page[], { clock, region }: SendingContext): readonly Page[] =>
  pages.filter((page) => page.home === region && Date.parse(page.dueAt) <= clock.now().getTime() && isFree(page, clock.now()));

/** Pages that are not part of a digest which somebody else settles. */
async function unbound(pages: readonly Page[], context: SendingContext): Promise<readonly Page[]> {
  const found = await Promise.all(pages.map((page) => settleByDigest(page, context)));
  return found.flatMap((page) => page ?? []);
}

/** Every page of a channel that waits, whoever's it is. */
async function waitingFor(method: Page['method'], context: SendingContext): Promise<readonly Letter[]> {
  const unsent = await context.outbox.unsent(context.clock.now(), mostPages);
  const waiting = unsent.filter((page) => page.method === method && digestOf(page) === undefined);
  return lettersOf(free(waiting, context), context);
}

async function lettersOf(pages: readonly Page[], context: SendingContext): Promise<readonly Letter[]> {
  const severityOf = await severities(pages, context);
  const letters: Letter[] = [];
  for (const page of pages) {
    const severity = severityOf.get(page.incidentId) ?? 4;
    const to = recipientOf(page, severity, context);
    if (to) letters.push({ page, severity, to });
    else await fail(page, `the config has no ${page.method} for ${page.person} any more`, context);
  }
  return letters;
}

async function severities(pages: readonly Page[], { incidents }: SendingContext): Promise<ReadonlyMap<IncidentId, Severity>> {
  const ids = [...new Set(pages.filter(({ reason }) => reason !== 'synthetic').map(({ incidentId }) => incidentId))];
  const found = await Promise.all(ids.map(async (id) => [id, (await incidents.get(id))?.severity] as const));
  return new Map(found.flatMap(([id, severity]) => (severity === undefined ? [] : [[id, severity] as const])));
}

function recipientOf(page: Page, severity: Severity, { operations }: SendingContext): Recipient | undefined {
  const method = contactOf(page, operations.incidents, severity);
  return method && { person: page.person, method };
}
