import { minutes } from '../../../common/duration.ts';
import { Conflict, ServiceUnavailable } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { EscalationRecord, type Incident, type Page } from '../../models.ts';
import type { DuePage } from '../due-pages.ts';
import { isSettled } from '../../is-over.ts';
import { escalationExecution } from '../execution-name.ts';
import { type Look, lookAt } from '../look.ts';

/**
 * A look is at most 18 events of an execution's history and Step Functions keeps 25 000 ("Service quotas", Step Functions Developer Guide): 18 000, and room for some
 * 1 400 retries.
 */
const looksPerExecution = 1000;

/** However long nothing can become due by time alone: somebody may end a pause early, or another Region be lost. */
const longestSleep = minutes(5);

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
    await withdraw(look, context);
    await report(look, context);

    if (look.stage === 'over') return { ...looked, status: 'over', says: `${incident.status}: nobody is told any more` };
    if (looked.looks >= looksPerExecution) return relay(looked, context); // whatever is written down and not sent yet, the next one sends
    const latest = now.getTime() + longestSleep * 1000;
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

/** Pages of the policy that nobody took yet and that are not wanted any more: somebody answered, it is resolved, paused, or begins anew. */
async function withdraw({ pages, sent }: Look, { outbox }: Context): Promise<void> {
  const wanted = new Set(pages.map(({ pageId }) => pageId));
  const ofPolicy = sent.filter(({ reason }) => reason !== 'digest' && reason !== 'synthetic');
  for (const page of ofPolicy.filter(({ status, pageId }) => status === 'pending' && !wanted.has(pageId))) {
    try {
      await outbox.update({ ...page, status: 'not-needed' });
    } catch (error) {
      if (!(error instanceof Conflict)) throw error; // a sender was faster: the page goes out
    }
  }
}

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
