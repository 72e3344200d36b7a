import { seconds } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { FailoverRefused } from '../../errors.ts';
import { rollBack } from '../../leadership/claim.ts';
import { writeTransition } from '../../leadership/write-transition.ts';
import { FailoverRecord } from '../../models.ts';
import { failureSentence } from '../failure-sentence.ts';
import { planTitle } from '../plan-words.ts';
import { act, found, freshStanding, pastItsEpoch, unlessRefused } from './failover-step.ts';

/**
 * Gives the lease back to the old primary, in an epoch of its own. Where nothing was claimed there is nothing to give back. Beyond the point of no
 * return it does nothing, and says so.
 */
export const giveLeaseBack = defineStep({
  name: 'give-lease-back',
  summary: 'Gives the lease back to the old primary.',
  timeout: seconds(30),
  needs: ['coordination:read', 'coordination:claim', 'notices:publish'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, notices, clock, region } = context;
    const { plan } = record;
    const why = record.failure === undefined ? record.says : failureSentence(record.failure);
    const standing = await freshStanding(coordination, record);
    if (standing === 'promoting' || standing === 'leads') {
      return found(record, 'committed', `epoch ${plan.epoch} is beyond the point of no return: only forward`);
    }
    if (standing === 'elsewhere') return pastItsEpoch(record, standing);
    if (standing === 'claimed') {
      const written = await unlessRefused(() =>
        act(context, record, { action: 'give-lease-back', resource: `epoch/${plan.epoch}`, details: { because: why.slice(0, 500) } }, () =>
          writeTransition(coordination, (current) => rollBack(current, plan, clock.now())),
        ),
      );
      if (written instanceof FailoverRefused) return found(record, 'lost', written.message);
    }
    // Said again when the step runs again: hearing it twice is better than never.
    await notices.publish({
      region,
      severity: 2,
      subject: `${planTitle(plan)} was given up`,
      text: `${plan.from} leads as before. ${why}`,
    });
    return found(record, 'rolled-back', why);
  },
});
