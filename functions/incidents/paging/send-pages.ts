import { messageOf } from '../../common/errors.ts';
import type { Severity } from '../../common/incident-policy.ts';
import type { IncidentId, Page } from '../models.ts';
import type { Recipient } from '../ports.ts';
import { contactOf } from './contact.ts';
import { membersOf, settleByDigest } from './digest.ts';
import { type Letter, sendByMethod } from './send-by-method.ts';
import type { SendingContext } from './sending.ts';
import { fail, isFree } from './take.ts';

/** Read at a time, oldest first. Whose escalation runs has its own pages sent whatever lies before them. */
const mostPages = 500;
/** Kept free for what is under way when time is over. */
const marginMilliseconds = 25_000;

/** What became of the pages that one call took in hand. */
export interface Sent {
  /** Left for the next call: time was over, or somebody else has them in hand. */
  readonly left: number;
}

/**
 * Sends the pages of this Region that are due by `now`: worst severity first, each channel at its own rate, and beyond that one digest to each person for severities 2 to 4.
 * Any number of senders may run at once, and one may die anywhere: a page is taken by a conditional write for 30 s, so none is lost, and none is sent twice but where a
 * sender dies between a channel's answer and writing it down. A page that a channel refuses is `failed`: the person's next method is due then (`duePages`).
 *
 * @param first the incident whose pages go out even where more than 500 others wait
 * @throws ServiceUnavailable when pages cannot be read; the outbox has what is not sent
 */
export async function sendPages(context: SendingContext, now: Date, first?: IncidentId): Promise<Sent> {
  const { outbox, clock, deadline, operations } = context;
  const [own, others] = await Promise.all([first ? outbox.of(first) : [], outbox.unsent(now, mostPages)]);
  const due = [...new Map([...own, ...others].map((page) => [page.pageId, page])).values()].filter(
    (page) => page.home === context.region && Date.parse(page.dueAt) <= now.getTime() && isFree(page, now),
  );
  const severityOf = await severities(due, context);
  const byMethod = new Map<Page['method'], Letter[]>();
  for (const page of await unbound(due, context)) {
    const severity = severityOf.get(page.incidentId) ?? 4;
    const to = recipientOf(page, severity, context);
    if (!to) {
      await fail(page, `the config has no ${page.method} for ${page.person} any more`, context);
      continue;
    }
    const letters = byMethod.get(page.method) ?? [];
    byMethod.set(page.method, [...letters, { page, severity, to, marked: page.reason === 'digest' ? membersOf(page, others) : [] }]);
  }
  const until = new Date(deadline.getTime() - marginMilliseconds);
  const ended = await Promise.allSettled(
    [...byMethod].map(([method, letters]) =>
      sendByMethod(letters, operations.incidents.channels.perSecond[method], until > clock.now() ? until : clock.now(), context),
    ),
  );
  const failures = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  for (const error of failures) context.log.error('pages of a channel could not be sent', { error: messageOf(error) });
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return { left: ended.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0) };
}

/** Pages that are not part of a digest which somebody else settles. */
async function unbound(pages: readonly Page[], context: SendingContext): Promise<readonly Page[]> {
  const found = await Promise.all(pages.map((page) => (page.reason === 'digest' ? page : settleByDigest(page, context))));
  return found.flatMap((page) => page ?? []);
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
