import { seconds } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { FailoverRecord } from '../../models.ts';
import { failureSentence } from '../failure-sentence.ts';
import { planTitle } from '../plan-words.ts';
import { act, found } from './failover-step.ts';

/** The machine can do no more: people hear where it stands, and that it is their turn. */
export const callHuman = defineStep({
  name: 'call-human',
  summary: 'Pages people: the failover cannot go on by itself.',
  timeout: seconds(30),
  needs: ['notices:publish'],
  input: FailoverRecord,
  async run(record, context) {
    const { notices, region } = context;
    const { plan, says, failure } = record;
    const why = failure === undefined ? says : failureSentence(failure);
    await act(context, record, { action: 'call-human', resource: `epoch/${plan.epoch}`, details: { because: why.slice(0, 500) } }, () =>
      notices.publish({
        region,
        severity: 1,
        subject: `${planTitle(plan)} needs a human`,
        text: `Epoch ${plan.epoch}, from ${plan.from} to ${plan.to}. It stopped here: ${why}. Runbook: FailoverStuck.`,
      }),
    );
    return found(record, 'stuck', why);
  },
});
