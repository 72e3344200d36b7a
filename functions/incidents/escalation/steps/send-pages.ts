import { after, minutes, seconds } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { isSettled } from '../../is-over.ts';
import { EscalationRecord, type Page } from '../../models.ts';
import { sendPages } from '../../paging/send-pages.ts';
import { sendingNeeds } from '../../paging/sending.ts';

/** When to look again while a page of the incident is not sent: its channel was beyond its rate, or whoever took it has died. */
const soon = seconds(10);

/** Sends what is written down, and says when to look again. */
export const sendDuePages = defineStep({
  name: 'send-pages',
  summary: 'Sends the pages that are due and not sent yet, worst first.',
  timeout: minutes(2),
  needs: sendingNeeds,
  input: EscalationRecord,
  async run(record, context): Promise<EscalationRecord> {
    const { outbox, clock } = context;
    const before = await outbox.of(record.incidentId);
    await sendPages(context, clock.now(), record.incidentId);
    const now = clock.now();
    const pages = await outbox.of(record.incidentId);
    const left = pages.filter((page) => !isSettled(page));
    // The next way to reach somebody is due as soon as one did not take the page.
    const again = failed(pages) > failed(before) ? now : left.length > 0 ? after(now, soon) : undefined;
    const planned = record.wakeAt === undefined ? now.getTime() : Date.parse(record.wakeAt);
    const wakeAt = timestamp(new Date(Math.min(planned, again?.getTime() ?? planned)));
    return { ...record, status: 'waiting', wakeAt, says: left.length > 0 ? `${left.length} not sent yet` : 'told' };
  },
});

const failed = (pages: readonly Page[]): number => pages.filter(({ status }) => status === 'failed').length;
