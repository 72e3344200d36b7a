import { type Duration, hours, minutes, seconds } from '../../../common/duration.ts';
import { ServiceUnavailable } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { isSettled } from '../../is-over.ts';
import { EscalationRecord, type Incident, type Page } from '../../models.ts';
import type { DuePage, DuePages } from '../due-pages.ts';
import { escalationExecution } from '../execution-name.ts';
import { type Look, lookAt } from '../look.ts';
import { withdraw } from '../withdraw.ts';

/**
 * A look is at most 18 events of an execution's history and Step Functions keeps 25 000 ("Service quotas", Step Functions Developer Guide): 18 000, and room for some
 * 1 400 retries.
 */
const looksPerExecution = 1000;

/**
 * An acknowledgement is not taken back: nothing can be due before it runs out. Everything else people may change at any time, such as a pause that comes and goes, and the
 * auditor of the pager counts a page as missed after a minute.
 */
const longestSleep: Readonly<Record<Exclude<DuePages['stage'], 'over'>, Duration>> = {
  answered: hours(1),
  paused: seconds(45),
  telling: seconds(45),
  exhausted: seconds(45),
  'told-elsewhere': seconds(45),
};

const needs = ['incidents:write', 'outbox:write', 'executions:escalate'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/**
 * Computes which pages of an incident are due and writes them down, withdraws those that are not wanted any more, and says when to look again. Whoever repeats it,
 * beside another execution or after a crash, writes down the same pages.
 */
export const planPages = defineStep({
  name: 'plan-pages',
  summary: 'Writes down which pages of an incident are due, and when to look again.',
  timeout: minutes(1),
  needs,
  input: EscalationRecord,
  async run(record, context): Promise<EscalationRecord> {
    const incident = await context.incidents.get(record.incidentId);
    if (!incident || incident.generation < record.generation) {
      throw new ServiceUnavailable(`generation ${record.generation} of ${record.incidentId} cannot be read yet`);
    }
    const looked = { ...record, looks: record.looks + 1 };
    if (incident.generation > record.generation) {
      return { ...looked, status: 'over', says: `generation ${incident.generation} has an execution of its own` };
    }
    const now = context.clock.now();
    const look = await lookAt(incident, context, now);
    await writeDown(incident, look, context);
    await withdraw(look, context.outbox, now);
    await report(look, context);

    if (look.stage === 'over') return { ...looked, status: 'over', says: `${incident.status}: nobody is told any more` };
    if (looked.looks >= looksPerExecution) return relay(looked, context); // whatever is written down and not sent yet, the next one sends
    const latest = now.getTime() + longestSleep[look.stage] * 1000;
    const wakeAt = timestamp(new Date(Math.min(look.lookAgainAt?.getTime() ?? latest, latest)));
    const unsent = (await context.outbox.of(incident.id)).filter((page) => !isSettled(page));
    if (unsent.length > 0) return { ...looked, status: 'tell', wakeAt, says: `${unsent.length} to tell` };
    return { ...looked, status: 'waiting', wakeAt, says: look.stage };
  },
});

/** The timeline first: a page that is in the outbox is not new to whoever goes on after a crash. */
async function writeDown(incident: Incident, { pages, sent }: Look, { incidents, outbox }: Context): Promise<void> {
  const known = new Set(sent.map(({ pageId }) => pageId));
  const wanted = pages.filter(({ pageId, overtaken }) => !overtaken && !known.has(pageId));
  if (wanted.length === 0) return;
  await incidents.append(
    incident.id,
    wanted.map((page) => ({ at: page.dueAt, kind: 'page' as const, by: 'machine/escalate-incident', says: sentence(page) })),
  );
  for (const { overtaken: _, ...page } of wanted) await outbox.add({ ...page, status: 'pending', attempts: 0, version: 0 });
}

const reasons: Readonly<Record<Page['reason'], string>> = {
  step: '',
  'second-channel': ', since the way before did not take it',
  'stale-acknowledgement': ', since an acknowledgement ran out',
  digest: '',
  synthetic: '',
};

const sentence = ({ person, method, reason, pageId }: DuePage): string =>
  `${person} is to be told by ${method}${reasons[reason]} (page ${pageId})`;

async function report({ stage, nobody }: Look, { metrics, region }: Context): Promise<void> {
  const put = (name: string, value: number) =>
    metrics.put({ capability: 'incidents', name, value, unit: 'Count', dimensions: { Region: region } });
  if (stage === 'exhausted') await put(metricNames.incidents.unanswered, 1);
  if (nobody.length > 0) await put(metricNames.incidents.nobodyOnDuty, nobody.length);
}

/** Hands over to the next execution before the history of this one is full. Starting one name twice is no error. */
async function relay(record: EscalationRecord, { executions, region }: Context): Promise<EscalationRecord> {
  const { incidentId, generation } = record;
  const next = { incidentId, generation, relays: record.relays + 1 };
  await executions.start({ region, machine: 'escalate-incident', name: escalationExecution(next), input: EscalationRecord.parse(next) });
  return { ...record, status: 'relay', says: `goes on as ${escalationExecution(next)}` };
}
