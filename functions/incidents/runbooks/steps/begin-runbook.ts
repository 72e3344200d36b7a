import { after, minutes, seconds } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { AutomatedRunbook } from '../../../common/incident-policy.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { isOutdated } from '../alarm-effect.ts';
import { judgeApproval } from '../approval.ts';
import { type Leadership, mayRun, mostSeconds, type Verdict } from '../guard.ts';
import { changeHistory, withRun } from '../history.ts';
import { readFacts, readLeadership, runbookOf } from '../look.ts';
import { RunbookRecord, type RunbookRun } from '../models.ts';
import { actWords, planAct } from '../plan.ts';
import { targetOf } from '../targets.ts';
import { act, found, tellIncident } from './runbook-step.ts';

const needs = ['coordination:read', 'incidents:write', 'runbooks:record', 'runbooks:restart', 'runbooks:enlarge-storage'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/**
 * Decides what is to be done with what is so now, and enters the run into the history in the same breath as the guard looks at it: of two runs that want to begin, one does. Whatever
 * changes between here and the act, the act is the one that was written down.
 */
export const beginRunbook = defineStep({
  name: 'begin-runbook',
  summary: 'Writes down what is so, and what an automated runbook is going to do.',
  timeout: minutes(1),
  needs,
  input: RunbookRecord,
  async run(record, context): Promise<RunbookRecord> {
    const { operations, incidents, coordination, clock, region } = context;
    const { request } = record;
    const runbook = runbookOf(operations, request.runbook);
    if (request.region !== region) return found(record, 'refused', `${request.region} mends itself: this is ${region}`);
    const outdated = await isOutdated(request, incidents);
    if (outdated !== undefined) return found(record, 'refused', outdated);
    // Looked for again by whoever relies on it, and not by the way that the machine came.
    if (runbook.guard.approval) {
      const { status, says } = await judgeApproval(record.question, runbook, { coordination, operations, now: clock.now() });
      if (status !== 'approved') return found(record, 'refused', says);
    }
    const leadership = await readLeadership({ coordination, operations });
    const before = (await context.runbookRuns.history()).runs.find(({ runId }) => runId === request.runId);
    if (before?.endedAt !== undefined) return found(record, 'refused', `it has ended before: ${before.outcome ?? 'nobody knows how'}`);
    const planned = before ?? (await plan(runbook, leadership, context));
    if ('because' in planned) return found(record, 'refused', planned.because);

    const { startedAt } = planned;
    const words = actWords(planned.act, region);
    const entered = await act(
      context,
      record,
      { action: 'begin-runbook', resource: targetOf(runbook), details: { kind: planned.act.kind, says: words } },
      () => enter(record, runbook, { startedAt, act: planned.act, leadership, context }),
    );
    if (entered.kind === 'refused') return found(record, 'refused', entered.because);
    await tellIncident(context, record, { at: startedAt, says: `begins to ${words} (execution ${request.runId})` });
    const status = planned.act.kind === 'end-long-queries' ? 'act-in-database' : 'act';
    return { ...found(record, status, words), startedAt, act: planned.act };
  },
});

type Planned = Pick<RunbookRun, 'startedAt' | 'act'>;

async function plan(runbook: AutomatedRunbook, leadership: Leadership, context: Context): Promise<Planned | { readonly because: string }> {
  const { region, clock } = context;
  const startedAt = timestamp(clock.now());
  const planned = planAct(runbook, await readFacts(runbook, region, leadership, context), { region, startedAt: new Date(startedAt) });
  return planned.kind === 'act' ? { startedAt, act: planned.act } : planned;
}

/** Enters the run, unless the guard refuses it. Entered already, by an attempt that died, it stands as it is. */
async function enter(
  { request }: RunbookRecord,
  runbook: AutomatedRunbook,
  { startedAt, act: planned, leadership, context }: Planned & { readonly leadership: Leadership; readonly context: Context },
): Promise<Verdict> {
  const { clock, operations } = context;
  const { runId } = request;
  return changeHistory(context, (history) => {
    const now = clock.now();
    const verdict = mayRun(runbook, { runId, runs: history.runs }, { leadership, windows: operations }, now);
    if (verdict.kind === 'refused' || history.runs.some((run) => run.runId === runId)) return { history: undefined, result: verdict };
    const run: RunbookRun = {
      ...{ runId, runbook: runbook.id, kind: runbook.action.kind, target: targetOf(runbook), startedAt, act: planned },
      until: timestamp(after(now, seconds(mostSeconds(runbook)))),
    };
    return { history: withRun(history, run, now), result: verdict };
  });
}
