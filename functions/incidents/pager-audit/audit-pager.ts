import { createHash } from 'node:crypto';
import { z } from 'zod';
import { minutes } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import type { PortsFor } from '../../common/ports.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { lookAt } from '../escalation/look.ts';
import type { Incident } from '../models.ts';
import { type MissedPage, missedPages } from './missed-pages.ts';

/** Time that a page has from when it is due until its channel must have taken it. */
const graceSeconds = 60;

const needs = ['incidents:read', 'outbox:read', 'notices:publish'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/**
 * Holds what was due against what was sent, in every Region over all incidents of the deployment, and tells people itself by the alarm topic, which is no channel of the
 * outbox. The home of an incident has the first word on its pages, a minute after they were due; each other Region has it a minute later than the one before, and says
 * nothing when the audit log shows that the page was reported: a lost Region's pages are missed by the others, and each is told of once.
 */
export const auditPager = defineTask({
  name: 'audit-pager',
  summary: 'Compares the pages that were due with those that were sent, and raises an alarm for each that is missing.',
  schedule: ({ incidents }) => (incidents.mode === 'on' ? [{ key: '', schedule: every(minutes(1)), input: {} }] : []),
  runsIn: 'every',
  catchUp: false,
  timeout: minutes(1),
  needs,
  input: z.strictObject({}),
  async run(_, context) {
    const { incidents, metrics, region } = context;
    const missed: string[] = [];
    const unreadable: unknown[] = [];
    for (const incident of await incidents.open()) {
      try {
        const found = await newlyMissed(incident, context);
        if (found.length > 0) await report(incident, found, context);
        missed.push(...found.map(({ page }) => page.pageId));
      } catch (error) {
        unreadable.push(error); // one incident that cannot be read must not hide the others
      }
    }
    const dimensions = { Region: region };
    await metrics.put({
      capability: 'incidents',
      name: metricNames.incidents.pagesMissed,
      value: missed.length,
      unit: 'Count',
      dimensions,
    });
    if (unreadable.length > 0) throw unreadable[0];
    return { missed };
  },
});

async function newlyMissed(incident: Incident, context: Context): Promise<readonly MissedPage[]> {
  const turn = turnOf(incident, context);
  const asOf = new Date(context.clock.now().getTime() - 1000 * graceSeconds * (1 + turn));
  const { pages, sent } = await lookAt(incident, context, context.clock.now());
  const due = new Set((await lookAt(incident, context, asOf)).pages.map(({ pageId }) => pageId));
  // Wanted by then and wanted still: what was withdrawn since, because somebody answered, nobody waits for.
  const found = missedPages(pages, sent).filter(({ page }) => due.has(page.pageId));
  const reported = await Promise.all(found.map(({ page }) => isReported(page.pageId, context)));
  return found.filter((_, index) => !reported[index]);
}

/** The home first, then the others in the order of the config. */
function turnOf({ home }: Incident, { operations, region }: Context): number {
  return [home, ...regionsOf(operations).filter((each) => each !== home)].indexOf(region);
}

const actIdOf = (pageId: string): string => `page-missed:${createHash('sha256').update(pageId).digest('hex').slice(0, 32)}`;

async function isReported(pageId: string, { auditLog }: Context): Promise<boolean> {
  return (await auditLog.act(actIdOf(pageId))).some(({ phase }) => phase === 'outcome');
}

/** The notice first, then the line that says that it was given: a crash in between tells people twice, not never. */
async function report(
  incident: Incident,
  missed: readonly MissedPage[],
  { notices, auditLog, clock, region, log }: Context,
): Promise<void> {
  const at = timestamp(clock.now());
  log.error('pages were due and not sent', { incident: incident.id, pages: missed.map(({ page }) => page.pageId) });
  await notices.publish({
    region,
    severity: incident.severity === 1 ? 1 : 2,
    subject: `${missed.length} pages of ${incident.id} were not sent`,
    text: [
      `Severity ${incident.severity}, home ${incident.home}. These people should have been told, and were not:`,
      ...missed.map(({ says }) => `- ${says}`),
      '',
      `Tell them by another way, or take it yourself: codeblue incident ack ${incident.id}`,
      'Runbook: docs/runbooks/PagesMissed.md',
    ].join('\n'),
  });
  for (const { page } of missed) {
    const actId = actIdOf(page.pageId);
    await auditLog.record({
      eventId: `${actId}:outcome`,
      actId,
      phase: 'outcome',
      at,
      actor: 'task/audit-pager',
      action: 'report-missed-page',
      resource: incident.id,
      region,
      outcome: 'failure',
      details: { page: page.pageId, dueAt: page.dueAt },
    });
  }
}
