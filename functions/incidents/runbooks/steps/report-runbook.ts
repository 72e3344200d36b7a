import { seconds } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { failureSentence } from '../../../failover/move/failure-sentence.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { changeHistory, withRun } from '../history.ts';
import { RunbookRecord, type RunOutcome } from '../models.ts';
import { act, found, tellIncident } from './runbook-step.ts';

const needs = ['incidents:write', 'runbooks:record', 'notices:publish'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/** Tells how it ended, however it did: the history, the incident, people, and the alarm where it did not help. */
export const reportRunbook = defineStep({
  name: 'report-runbook',
  summary: 'Writes down and tells how an automated runbook ended.',
  timeout: seconds(30),
  needs,
  input: RunbookRecord,
  async run(record, context) {
    const outcome = outcomeOf(record);
    const says = sentenceOf(record, outcome);
    await act(context, record, { action: 'end-runbook', resource: record.request.runId, details: { outcome, says } }, async () => {
      await closeRun(record, outcome, context);
      await tellIncident(context, record, { at: timestamp(context.clock.now()), says });
      await tellPeople(record, outcome, says, context);
    });
    return found(record, outcome, says);
  },
});

function outcomeOf({ status, failure }: RunbookRecord): RunOutcome {
  if (failure !== undefined) return 'failed';
  return status === 'helped' || status === 'not-helped' || status === 'refused' ? status : 'failed';
}

function sentenceOf({ says, did, failure, startedAt }: RunbookRecord, outcome: RunOutcome): string {
  const done = did ?? (startedAt === undefined ? 'nothing was done' : 'nothing is known to have been done');
  const why = failure === undefined ? says : failureSentence(failure);
  const link = { helped: '; it helped: ', 'not-helped': '; it did not help: ', refused: ': ', failed: '; it failed: ' }[outcome];
  return `${done}${link}${why}`.slice(0, 500);
}

/** Whatever never began has no line there. */
async function closeRun({ request }: RunbookRecord, outcome: RunOutcome, context: Context): Promise<void> {
  const now = context.clock.now();
  await changeHistory(context, (history) => {
    const run = history.runs.find(({ runId }) => runId === request.runId);
    if (!run || run.endedAt !== undefined) return { history: undefined, result: undefined };
    return { history: withRun(history, { ...run, endedAt: timestamp(now), outcome }, now), result: undefined };
  });
}

const severities = { helped: 3, refused: 3, 'not-helped': 2, failed: 2 } as const;

/** Nobody is told of what was refused on an incident: that is on its timeline, and somebody is chased about it anyway. */
async function tellPeople({ request }: RunbookRecord, outcome: RunOutcome, says: string, context: Context): Promise<void> {
  const { notices, metrics, region } = context;
  if (outcome !== 'refused') {
    const value = outcome === 'helped' ? 0 : 1;
    await metrics.put({
      ...{ capability: 'incidents', name: metricNames.incidents.runbooksFailed, value, unit: 'Count' },
      dimensions: { Region: region },
    });
  }
  if (outcome === 'refused' && request.incident) return;
  const about = request.incident ? `Incident ${request.incident.id}.` : `Started by ${request.requestedBy}.`;
  await notices.publish({
    ...{ region, severity: severities[outcome] },
    subject: `Runbook ${request.runbook}: ${outcome.replace('-', ' ')}`,
    text: [says, about, `Execution ${request.runId} of run-runbook in ${region}.`].join('\n'),
  });
}
