import { seconds } from '../../../common/duration.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { missingAgreement } from '../../approval/human-agreement.ts';
import { FailoverRefused } from '../../errors.ts';
import { commitPromotion } from '../../leadership/claim.ts';
import { stopSign } from '../../leadership/stop-sign.ts';
import { writeTransition } from '../../leadership/write-transition.ts';
import { type Commitment, FailoverRecord } from '../../models.ts';
import { enterPhase } from '../../report/phases.ts';
import { isWithinBudget } from '../loss.ts';
import { act, found, freshStanding, pastItsEpoch, unlessRefused } from './failover-step.ts';

/**
 * The point of no return, which is a write: `claimed -> promoting`. Before it the lease can be given back, after it never. Whether the fence holds
 * and the loss is allowed is asked once more here, of the record and not of the way that the machine came.
 */
export const commitToNewPrimary = defineStep({
  name: 'commit-promotion',
  summary: 'Passes the point of no return: from here on only forward.',
  timeout: seconds(20),
  needs: ['coordination:read', 'coordination:claim'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, clock } = context;
    const { plan } = record;
    const standing = await freshStanding(coordination, record);
    const committed = () =>
      enterPhase(found(record, 'committed', `epoch ${plan.epoch} is beyond the point of no return`), 'promote', clock.now());
    if (standing === 'promoting') return committed();
    if (standing !== 'claimed') return pastItsEpoch(record, standing);
    const { fenced, losses } = record;
    if (fenced === undefined) return found(record, 'refused', `nothing says that ${plan.from} cannot write any more`);
    const objection = await objectionToPromotion({ plan, fenced, losses }, context);
    if (objection !== undefined) return found(record, 'refused', objection);
    const written = await unlessRefused(() =>
      act(context, record, { action: 'commit-promotion', resource: `epoch/${plan.epoch}`, details: { fenced } }, () =>
        writeTransition(coordination, (current) => commitPromotion(current, { plan, fenced, losses })),
      ),
    );
    return written instanceof FailoverRefused ? found(record, 'lost', written.message) : committed();
  },
});

/** Why this record may not be promoted; undefined when it may. */
async function objectionToPromotion(
  { plan, fenced, losses }: Commitment,
  context: Pick<Ports, 'coordination'> & TaskContext,
): Promise<string | undefined> {
  const stopped = await stopSign(context);
  if (stopped !== undefined) return stopped;
  if (plan.kind === 'switchover' && fenced !== 'by-receipt') return `${plan.from} did not close its databases`;
  const current = await context.coordination.read();
  if (!current?.fenced || (plan.kind === 'replace' && fenced !== 'by-receipt')) {
    const isOff = await missingAgreement({ question: 'old-primary-is-off', plan, losses: [] }, context, 'given');
    if (isOff !== undefined) return `nothing closed every table in ${plan.from}: ${isOff}`;
  }
  const unmeasured = plan.databases.filter(({ databaseId }) => !losses.some((loss) => loss.databaseId === databaseId));
  if (unmeasured.length > 0) return `nobody measured what is lost of ${unmeasured.map(({ databaseId }) => databaseId).join(', ')}`;
  if (losses.every(isWithinBudget)) return undefined;
  const unaccepted = await missingAgreement({ question: 'accept-loss', plan, losses }, context, { now: context.clock.now() });
  return unaccepted && `the loss is over the budget: ${unaccepted}`;
}
