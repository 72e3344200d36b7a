import { seconds } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { judgeAnswer } from '../../approval/approvals.ts';
import { stopSign } from '../../leadership/stop-sign.ts';
import { FailoverRecord } from '../../models.ts';
import { found } from './failover-step.ts';

/** One look for the answer to the question that was asked; the machine comes back until there is one or it expired. */
export const awaitAnswer = defineStep({
  name: 'await-answer',
  summary: 'Looks whether a human has answered.',
  timeout: seconds(20),
  needs: ['coordination:read'],
  input: FailoverRecord,
  async run(record, { coordination, operations, clock }) {
    const { question: request } = record;
    if (!request) throw new InvalidInput('there is no question to answer');
    const stopped = await stopSign({ coordination, clock });
    if (stopped !== undefined) return found(record, 'refused', stopped);
    const answer = await coordination.answerTo(request.hash);
    const { status, says } = judgeAnswer(request, answer, operations.failover.approvals, clock.now());
    const judged = found(record, status === 'rejected' ? 'refused' : status, says);
    const isOff = status === 'approved' && request.question.question === 'old-primary-is-off';
    return isOff ? { ...judged, fenced: 'by-human' as const } : judged;
  },
});
