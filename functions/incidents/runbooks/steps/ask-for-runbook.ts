import { seconds } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { askForRun, judgeApproval } from '../approval.ts';
import { inTheWay } from '../guard.ts';
import { readLeadership, runbookOf } from '../look.ts';
import { RunbookRecord } from '../models.ts';
import { act, found, tellIncident } from './runbook-step.ts';

/** Asked again after a crash, the first request stands, with its expiry: the question holds nothing that changes from one attempt to the next. */
export const askForRunbook = defineStep({
  name: 'ask-for-runbook',
  summary: 'Asks a human whether an automated runbook may act.',
  timeout: seconds(30),
  needs: ['coordination:read', 'coordination:approve-runbook', 'notices:publish', 'incidents:write'],
  input: RunbookRecord,
  async run(record, context) {
    const { coordination, notices, operations, clock, region } = context;
    const asked = askForRun(runbookOf(operations, record.request.runbook), record.request, operations, clock.now());
    const resource = `question/${asked.hash.slice(0, 16)}`;
    const stored = await act(context, record, { action: 'ask', resource, details: { question: 'run-runbook' } }, async () => {
      const request = await coordination.askForRunbook(asked);
      await notices.publish({
        ...{ region, severity: 2 },
        subject: `Answer wanted: may ${record.request.runbook} run?`,
        text: [
          request.question.says,
          `Answer before ${request.expiresAt}: codeblue incident runbook ${record.request.runbook} --approve ${request.hash.slice(0, 16)}`,
        ].join('\n'),
      });
      return request;
    });
    const says = `waiting for an answer until ${stored.expiresAt}`;
    await tellIncident(context, record, { at: timestamp(new Date(stored.askedAt)), says });
    return { ...found(record, 'waiting', says), question: stored };
  },
});

/** One look for the answer; the machine comes back until there is one or it expired. */
export const awaitRunbookAnswer = defineStep({
  name: 'await-runbook-answer',
  summary: 'Looks whether a human has answered about an automated runbook.',
  timeout: seconds(20),
  needs: ['coordination:read'],
  input: RunbookRecord,
  async run(record, { coordination, operations, clock }) {
    const stopped = inTheWay(await readLeadership({ coordination, operations }), clock.now());
    if (stopped !== undefined) return found(record, 'refused', stopped);
    const runbook = runbookOf(operations, record.request.runbook);
    const { status, says } = await judgeApproval(record.question, runbook, { coordination, operations, now: clock.now() });
    return found(record, status === 'rejected' || status === 'expired' ? 'refused' : status, says);
  },
});
