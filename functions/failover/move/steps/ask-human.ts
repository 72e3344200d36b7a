import { seconds } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { askFor } from '../../approval/approvals.ts';
import { type ApprovalQuestion, FailoverRecord } from '../../models.ts';
import { planFacts, planTitle } from '../plan-words.ts';
import { act, found } from './failover-step.ts';

/** What each status asks. */
const questions: Partial<Record<FailoverRecord['status'], ApprovalQuestion['question']>> = {
  ask: 'start',
  unfenced: 'old-primary-is-off',
  'over-budget': 'accept-loss',
};

/** Asks a human what the step before found it cannot decide. Asked again after a crash, the first request stands, with its expiry. */
export const askHuman = defineStep({
  name: 'ask-human',
  summary: 'Asks a human, and tells people that an answer is wanted.',
  timeout: seconds(30),
  needs: ['coordination:read', 'coordination:approve', 'notices:publish'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, notices, operations, clock, region } = context;
    const { plan, losses } = record;
    const question = questions[record.status];
    if (!question) throw new InvalidInput(`the status "${record.status}" asks nothing`);
    const request = askFor(
      { question, plan, losses: question === 'accept-loss' ? losses : [] },
      operations.failover.approvals,
      clock.now(),
    );
    const stored = await act(
      context,
      record,
      { action: 'ask', resource: `question/${request.hash.slice(0, 16)}`, details: { question } },
      async () => {
        const asked = await coordination.ask(request);
        await notices.publish({
          region,
          severity: 1,
          subject: `Answer wanted, ${planTitle(plan)}: ${sentences[question]}`.slice(0, 100),
          text: [
            `${planFacts(plan)}. ${plan.reason}.`,
            `${record.says}.`,
            `Answer before ${asked.expiresAt}: codeblue failover approve ${asked.hash.slice(0, 16)}`,
          ].join('\n'),
        });
        return asked;
      },
    );
    return { ...found(record, 'waiting', `waiting for an answer until ${stored.expiresAt}`), question: stored };
  },
});

const sentences: Record<ApprovalQuestion['question'], string> = {
  start: 'may it begin?',
  'accept-loss': 'is the loss acceptable?',
  'old-primary-is-off': 'is the old primary off?',
};
