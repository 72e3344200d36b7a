import { audited } from '../../../functions/audit/audited.ts';
import { InvalidInput, messageOf, NotFound } from '../../../functions/common/errors.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import type { AutomatedRunbook } from '../../../functions/common/incident-policy.ts';
import { databaseOf } from '../../../functions/common/operations-lookup.ts';
import { judgeAnswer, objectionTo } from '../../../functions/failover/approval/approvals.ts';
import type { ApprovalAnswer, RunbookApproval } from '../../../functions/failover/models.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import { mayRun } from '../../../functions/incidents/runbooks/guard.ts';
import { type LongQuery, longQueries } from '../../../functions/incidents/runbooks/long-queries.ts';
import { readFacts, readLeadership, runbookOf } from '../../../functions/incidents/runbooks/look.ts';
import type { PlannedAct, RunbookRequest } from '../../../functions/incidents/runbooks/models.ts';
import { actWords, planAct } from '../../../functions/incidents/runbooks/plan.ts';
import { runByHand, runbookExecution, runsRunbooks } from '../../../functions/incidents/runbooks/targets.ts';
import type { Session } from '../../session.ts';

export const runbookPorts = [
  ...(['auditLog', 'capacity', 'coordination', 'databaseStorage', 'executions', 'incidents', 'runbookRuns', 'sqlServers'] as const),
] as const;
type RunbookSession = Session<(typeof runbookPorts)[number]>;

export interface PlannedRun {
  readonly request: RunbookRequest;
  /** What it would do. */
  readonly does: string | undefined;
  /** Why it would not begin. */
  readonly refused: readonly string[];
  readonly needsApproval: boolean;
  /** Sessions that would be ended, where they can be seen from here. */
  readonly sessions: readonly LongQuery[] | undefined;
  readonly unseen: string | undefined;
}

/** Everything that the machine would look at, and nothing done. @throws InvalidInput for a runbook that there is not, or where none run */
export async function planRun(
  { ports, operations, region, clock }: RunbookSession,
  {
    runbookId,
    requestedBy,
    incident,
  }: { readonly runbookId: string; readonly requestedBy: string; readonly incident?: Incident | undefined },
): Promise<PlannedRun> {
  const runbook: AutomatedRunbook = runbookOf(operations, runbookId);
  if (!runsRunbooks(operations, region)) {
    throw new InvalidInput(`no automated runbook runs in ${region}`, {
      hint: 'incidents.mode must be on; name a Region that can lead with --region.',
    });
  }
  const now = clock.now();
  const request = runByHand(runbook, { region, requestedBy, now, ...(incident ? { incident } : {}) });
  const leadership = await readLeadership({ ...ports, operations });
  const { runs } = await ports.runbookRuns.history();
  const verdict = mayRun(runbook, { runId: request.runId, runs }, { leadership, windows: operations }, now);
  const plan = planAct(runbook, await readFacts(runbook, region, leadership, { ...ports, operations }), { region, startedAt: now });
  const seen = plan.kind === 'act' ? await sessionsOf(plan.act) : {};
  return {
    request,
    does: plan.kind === 'act' ? actWords(plan.act, region) : undefined,
    refused: [...(verdict.kind === 'refused' ? [verdict.because] : []), ...(plan.kind === 'refused' ? [plan.because] : [])],
    needsApproval: runbook.guard.approval,
    ...{ sessions: undefined, unseen: undefined, ...seen },
  };

  async function sessionsOf(act: PlannedAct): Promise<Partial<Pick<PlannedRun, 'sessions' | 'unseen'>>> {
    if (act.kind !== 'end-long-queries') return {};
    try {
      const server = await ports.sqlServers.live(act.databaseId, region);
      const session = await server.connect(databaseOf(operations, act.databaseId).databaseNames?.[0] ?? 'postgres');
      try {
        return { sessions: await longQueries(session, act.olderThanSeconds) };
      } finally {
        await session.close();
      }
    } catch (error) {
      return { unseen: messageOf(error) };
    }
  }
}

export function renderPlannedRun({ request, does, refused, needsApproval, sessions, unseen }: PlannedRun): string {
  return [
    `${request.runbook} in ${request.region}: ${does === undefined ? 'nothing can be done' : `would ${does}`}`,
    ...(sessions ?? []).map(({ pid, databaseName, role, seconds }) => `  session ${pid} of ${role} in ${databaseName}, for ${seconds} s`),
    ...(sessions?.length === 0 ? ['  there is no such session now'] : []),
    ...(unseen === undefined ? [] : [`  which sessions cannot be seen from here: ${unseen}`]),
    ...refused.map((because) => `  it may NOT run: ${because}`),
    ...(needsApproval ? ['  it asks a human first'] : []),
  ].join('\n');
}

/** Starts it, between two audit events. The machine looks at everything once more. @throws InvalidInput when it would be refused */
export async function startRun({ ports, clock, region }: RunbookSession, { request, refused }: PlannedRun) {
  if (refused.length > 0) throw new InvalidInput(`${request.runbook} may not run: ${refused.join('; ')}`);
  const act = {
    actor: `cli/${request.requestedBy}`,
    action: 'start-runbook',
    resource: request.runId,
    details: { runbook: request.runbook },
  };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () =>
    ports.executions.start({ ...runbookExecution(request), input: { request } }),
  );
  return { runId: request.runId, region };
}

/** Stores the answer of `by`. One that would not count is refused before it is stored. @throws NotFound, InvalidInput */
export async function answerRun(
  { ports, operations, clock, region }: RunbookSession,
  { beginning, answer, by }: { readonly beginning: string; readonly answer: ApprovalAnswer['answer']; readonly by: string },
) {
  if (!/^[0-9a-f]{8,64}$/.test(beginning))
    throw new InvalidInput(`"${beginning}" names no question`, { hint: 'Give the first 8 or more hex digits of its hash.' });
  const fitting: readonly RunbookApproval[] = (await ports.coordination.runbookRequests()).filter(({ hash }) => hash.startsWith(beginning));
  const [request] = fitting;
  if (!request || fitting.length > 1) throw new NotFound(`${fitting.length} questions begin with ${beginning}`);
  const { approvals } = operations.failover;
  const { status, says } = judgeAnswer(request, await ports.coordination.answerTo(request.hash), approvals, clock.now());
  if (status !== 'waiting') throw new InvalidInput(`the question cannot be answered any more: ${status}, ${says}`);
  const resource = `question/${request.hash.slice(0, 16)}`;
  const stored = await audited(
    { auditLog: ports.auditLog, clock, region },
    { actor: `cli/${by}`, action: `answer-${answer}`, resource, details: { question: 'run-runbook', runId: request.question.runId } },
    async () => {
      const objection = objectionTo(request.question, { by, answer }, approvals);
      if (objection !== undefined) throw new InvalidInput(`this answer would not count: ${objection}`);
      return ports.coordination.answer({ hash: request.hash, answer, by, at: timestamp(clock.now()) });
    },
  );
  return { question: request.question.says, says: judgeAnswer(request, stored, approvals, clock.now()).says };
}
