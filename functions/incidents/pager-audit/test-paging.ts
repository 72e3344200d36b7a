import { createHash } from 'node:crypto';
import { z } from 'zod';
import { minutes } from '../../common/duration.ts';
import { messageOf } from '../../common/errors.ts';
import { timeSlug, timestamp } from '../../common/ids.ts';
import type { Person } from '../../common/incident-policy.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import type { PortsFor } from '../../common/ports.ts';
import { daily } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { IncidentId, type Page } from '../models.ts';
import { onCallOf } from '../on-call/on-call.ts';
import { allMethods } from '../paging/contact.ts';
import { sendPages } from '../paging/send-pages.ts';
import { sendingNeeds } from '../paging/sending.ts';

const needs = [...sendingNeeds, 'channels:check', 'notices:publish'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/**
 * A pager that is never heard may be dead. Every Region looks every day whether each way to each person would work, and the Regions take turns by the day in sending a
 * synthetic page by every way to everybody on duty, so that a person gets one a day and not three.
 */
export const testPaging = defineTask({
  name: 'test-paging',
  summary: 'Sends a synthetic page to everybody on duty by every way, and checks all others.',
  schedule: ({ incidents }) => (incidents.mode === 'on' ? [{ key: '', schedule: daily('10:00'), input: {} }] : []),
  runsIn: 'every',
  timeout: minutes(5),
  needs,
  input: z.strictObject({
    /** Asked for by a person: send here and now, whichever Region's turn it is. */
    now: z.boolean().default(false),
  }),
  async run({ now }, context) {
    const { metrics, notices, region, scheduledAt } = context;
    const sent = now || hasTurn(context) ? await sendSynthetic(context) : { pages: 0, findings: [] };
    const findings = [...sent.findings, ...(await check(context))];
    await metrics.put({
      capability: 'incidents',
      name: metricNames.incidents.pagingUntested,
      value: findings.length,
      unit: 'Count',
      dimensions: { Region: region },
    });
    if (findings.length > 0) {
      await notices.publish({
        region,
        severity: 3,
        subject: `Pages would not arrive: ${findings.length} findings`,
        text: [...findings.map((finding) => `- ${finding}`), '', 'Runbook: docs/runbooks/PagingUntested.md'].join('\n'),
      });
    }
    return { pages: sent.pages, findings, scheduledAt: timestamp(scheduledAt) };
  },
});

/** Days since 1970 of the time that the run was due. */
function hasTurn({ operations, region, scheduledAt }: Context): boolean {
  const regions = regionsOf(operations);
  return regions[Math.floor(scheduledAt.getTime() / 86_400_000) % regions.length] === region;
}

/** The day's test, by the time that it was due: whoever repeats it sends nothing twice. */
export function testId({ scheduledAt, region }: Pick<TaskContext, 'scheduledAt' | 'region'>): IncidentId {
  const digest = createHash('sha256').update(`test-paging/${region}/${scheduledAt.toISOString()}`).digest('hex').slice(0, 10);
  return IncidentId.parse(`inc-${timeSlug(scheduledAt)}-${digest}`);
}

async function onDuty({ operations, incidents, clock }: Context): Promise<readonly Person[]> {
  const { schedules, people } = operations.incidents;
  const onCall = onCallOf(operations.incidents, await incidents.overrides());
  const ids = new Set(schedules.map(({ id }) => onCall.at(id, clock.now())));
  return people.filter(({ id }) => ids.has(id));
}

async function sendSynthetic(context: Context): Promise<{ readonly pages: number; readonly findings: readonly string[] }> {
  const { outbox, clock, region } = context;
  const incidentId = testId(context);
  const dueAt = timestamp(clock.now());
  for (const person of await onDuty(context)) {
    for (const [index, { kind }] of allMethods(person).entries()) {
      const page: Page = {
        pageId: [incidentId, 0, 0, 0, person.id, index].join('/'),
        ...{ incidentId, home: region, person: person.id, method: kind, dueAt },
        ...{ reason: 'synthetic', status: 'pending', attempts: 0, version: 0 },
      };
      await outbox.add(page);
    }
  }
  await sendPages(context, clock.now(), incidentId);
  const pages = await outbox.of(incidentId);
  const findings = pages
    .filter(({ status }) => status !== 'accepted')
    .map(
      ({ person, method, status, receipt }) =>
        `${person} by ${method} in ${region}: the synthetic page is ${status}${receipt ? `, ${receipt}` : ''}`,
    );
  return { pages: pages.length, findings };
}

/** Each way to each person, whether on duty or not: the next turn is somebody else's. */
async function check({ operations, channels, region }: Context): Promise<readonly string[]> {
  const ways = operations.incidents.people.flatMap((person) => allMethods(person).map((method) => ({ person: person.id, method })));
  const findings: string[] = [];
  for (const way of ways) {
    try {
      findings.push(...(await channels.check(way)));
    } catch (error) {
      findings.push(`${way.person} by ${way.method.kind} in ${region}: cannot be looked at: ${messageOf(error)}`);
    }
  }
  return findings;
}
