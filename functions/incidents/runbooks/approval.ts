import type { AutomatedRunbook } from '../../common/incident-policy.ts';
import type { Operations } from '../../common/operations.ts';
import { askFor, type Judgement, judgeAnswer } from '../../failover/approval/approvals.ts';
import type { RunbookApproval } from '../../failover/models.ts';
import type { Coordination } from '../../failover/ports.ts';
import type { RunbookRequest } from './models.ts';
import { targetOf } from './targets.ts';

/** What a human is asked: it holds the runbook as the config has it, so that an agreement to another one is none to this. */
export function askForRun(
  runbook: AutomatedRunbook,
  request: RunbookRequest,
  { failover }: Pick<Operations, 'failover'>,
  now: Date,
): RunbookApproval {
  const { runId, region, alarm, subject, requestedBy, requestedAt } = request;
  return askFor(
    {
      question: 'run-runbook',
      ...{ runId, region, requestedBy, requestedAt, runbook: JSON.stringify(runbook) },
      says: `${runbook.id}: ${runbook.action.kind} on ${targetOf(runbook)} in ${region}, because of ${alarm} of ${subject}`,
    },
    failover.approvals,
    now,
  );
}

/**
 * What the answer is worth now, to whoever is about to act as much as to whoever waits. A question that was asked about the runbook as it was before the config changed is over.
 *
 * @param given when it is judged: now while it is waited for, when it was given once it was acted upon
 */
export async function judgeApproval(
  question: RunbookApproval | undefined,
  runbook: AutomatedRunbook,
  {
    coordination,
    operations,
    now,
  }: { readonly coordination: Pick<Coordination, 'answerTo'>; readonly operations: Pick<Operations, 'failover'>; readonly now: Date },
): Promise<Judgement> {
  if (!question) return { status: 'rejected', says: 'nobody was asked' };
  if (question.question.runbook !== JSON.stringify(runbook))
    return { status: 'rejected', says: 'the config has changed since it was asked' };
  return judgeAnswer(question, await coordination.answerTo(question.hash), operations.failover.approvals, now);
}
