import { after, minutes, seconds } from '../../../common/duration.ts';
import { ServiceUnavailable } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { isSettled } from '../../is-over.ts';
import { EscalationRecord, type Page } from '../../models.ts';
import { lookAt } from '../look.ts';
import { withdraw } from '../withdraw.ts';

/** When to look again while a page of the incident is not sent: its channel was beyond its rate, or whoever took it has died. */
const soon = seconds(10);

const needs = ['incidents:read', 'outbox:write'] as const;

/** Sends every page of this Region that is due by `now`. */
export type SendPages = (context: PortsFor<(typeof needs)[number]> & TaskContext, now: Date) => Promise<unknown>;

/**
 * The step that sends what is written down, and says when to look again. What is not wanted any more is withdrawn first: somebody may have answered since it was
 * written down, the more so when an attempt to send has failed and this is the next one.
 */
export const sendPagesStep = (send: SendPages) =>
  defineStep({
    name: 'send-pages',
    summary: 'Sends the pages that are due and not sent yet, worst first.',
    timeout: minutes(2),
    needs,
    input: EscalationRecord,
    async run(record, context): Promise<EscalationRecord> {
      const { incidents, outbox, clock } = context;
      const incident = await incidents.get(record.incidentId);
      const look = incident && (await lookAt(incident, context, clock.now()));
      if (look) await withdraw(look, outbox, clock.now());
      await send(context, clock.now());
      const now = clock.now();
      const pages = await outbox.of(record.incidentId);
      const left = pages.filter((page) => !isSettled(page));
      // The next way to reach somebody is due as soon as one did not take the page.
      const again = failed(pages) > failed(look?.sent ?? []) ? now : left.length > 0 ? after(now, soon) : undefined;
      const planned = record.wakeAt === undefined ? now.getTime() : Date.parse(record.wakeAt);
      const wakeAt = timestamp(new Date(Math.min(planned, again?.getTime() ?? planned)));
      return { ...record, status: 'waiting', wakeAt, says: left.length > 0 ? `${left.length} not sent yet` : 'told' };
    },
  });

const failed = (pages: readonly Page[]): number => pages.filter(({ status }) => status === 'failed').length;

/** Until paging is there (functions/incidents/paging): it is refused, so that nobody believes that they were told. */
export const sendDuePages = sendPagesStep(async () => {
  throw new ServiceUnavailable('nothing sends pages yet');
});
