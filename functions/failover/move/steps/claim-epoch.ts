import { seconds } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { missingAgreement } from '../../approval/human-agreement.ts';
import { FailoverRefused } from '../../errors.ts';
import { claim } from '../../leadership/claim.ts';
import { standingOf } from '../../leadership/standing.ts';
import { stopSign } from '../../leadership/stop-sign.ts';
import { writeTransition } from '../../leadership/write-transition.ts';
import { fenceWaitSeconds } from '../../lease/fence-wait.ts';
import { FailoverRecord } from '../../models.ts';
import { enterPhase } from '../../report/phases.ts';
import { lastKnownPositions } from '../loss.ts';
import { act, found, pastItsEpoch, type StepContext, unlessRefused } from './failover-step.ts';

/**
 * Raises the epoch for the plan: exactly one claimant wins, and from here on nobody renews the old lease. The votes are read before: they tell
 * how old the last renewal is, and what was last known of the old primary.
 */
export const claimEpoch = defineStep({
  name: 'claim-epoch',
  summary: 'Claims the next epoch: nobody may renew the old lease from here on.',
  timeout: seconds(20),
  needs: ['coordination:read', 'coordination:claim'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, operations, clock, metrics } = context;
    const { plan } = record;
    const { lease } = operations.failover;
    const votes = await coordination.votes();
    const current = await coordination.read();
    const standing = standingOf(current, plan);
    if (standing === 'promoting') return found(record, 'committed', `epoch ${plan.epoch} is being promoted for this plan already`);
    if (standing === 'leads') return found(record, 'promoted', `${plan.to} leads in epoch ${plan.epoch} already`);
    if (standing !== 'before' && standing !== 'claimed') return pastItsEpoch(record, standing);

    const stopped = await stopSign(context);
    if (stopped !== undefined) return found(record, 'refused', stopped);
    if (standing === 'before' && plan.needsApproval) {
      const missing = await missingAgreement({ question: 'start', plan, losses: [] }, context, { now: clock.now() });
      if (missing !== undefined) return found(record, 'refused', missing);
    }
    const claimed = standing === 'claimed' ? undefined : await unlessRefused(() => claimNow(record, context));
    if (claimed instanceof FailoverRefused) return found(record, 'lost', claimed.message);
    // Of a claim that this call did not see succeed, nothing is known of the time before it: the whole wait.
    const claimedVersion = claimed?.wrote ? claimed.record.version - 1 : undefined;
    const wait = claimedVersion === undefined ? lease.length + lease.margin : fenceWaitSeconds(lease, { version: claimedVersion }, votes);
    const now = clock.now();
    if (claimed?.wrote)
      await metrics.put({
        capability: 'failover',
        name: metricNames.failover.started,
        value: 1,
        unit: 'Count',
        dimensions: { Region: context.region },
      });
    return {
      ...enterPhase(
        found(record, 'claimed', `epoch ${plan.epoch} is claimed for ${plan.to}; the old lease ends within ${wait} s`),
        'fence',
        now,
      ),
      claimedAt: timestamp(now),
      fenceWaitSeconds: wait,
      lastKnown: [
        ...lastKnownPositions(
          votes,
          { ...plan, primarySince: current?.primarySince },
          { lease, claimedVersion, claimedAt: now, fenceWaitSeconds: wait },
        ),
      ],
    };
  },
});

const claimNow = (record: FailoverRecord, context: StepContext & Pick<Ports, 'coordination'>) =>
  act(
    context,
    record,
    { action: 'claim-epoch', resource: `epoch/${record.plan.epoch}`, details: { reason: record.plan.reason.slice(0, 500) } },
    () => writeTransition(context.coordination, (current) => claim(current, record.plan)),
  );
