import { minutes } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { RecoveryRecord } from '../models.ts';
import { found, releaseHold, wrong } from './recovery-step.ts';
import { replacementProgress } from './replace-database.ts';

/**
 * Comes from every failure before the exchange is over: decides whether the copy may go. While an execution could still put it in the place, it may not: removed beyond the
 * point of no return, there would be nothing to open.
 */
export const giveUpRecovery = defineStep({
  name: 'give-up-recovery',
  summary: 'Takes the hold away, and decides whether the restored copy may be removed.',
  timeout: minutes(1),
  needs: ['coordination:read', 'coordination:hold', 'executions:move'],
  input: RecoveryRecord,
  async run(record, context) {
    const { plan, verification } = record;
    await releaseHold(context, record);
    if (verification === undefined) return wrong(record, 'as-it-was', record.says || 'a state failed before anything was restored');
    const { progress, standing } = plan
      ? await replacementProgress(record, plan, context)
      : { progress: 'ended' as const, standing: 'before' };
    switch (progress) {
      case 'goes-on':
        return wrong(record, 'unclear', `the exchange goes on without this recovery: epoch ${plan?.epoch} is ${standing}`);
      case 'leads':
        return {
          ...wrong(record, 'unprotected', `the copy leads in epoch ${plan?.epoch}; a state of this recovery failed`),
          replacedAt: record.replacedAt ?? timestamp(context.clock.now()),
        };
      case 'ended':
        return found(record, 'tearing-down', `${verification.verificationId} is removed`);
    }
  },
});
