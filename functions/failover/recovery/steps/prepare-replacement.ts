import { formatSeconds, hours, minutes, secondsBetween } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { planReplacement } from '../../leadership/plan.ts';
import { RecoveryRecord } from '../models.ts';
import { act, found, inPhase, notYet, whyNotLeading, wrong } from './recovery-step.ts';

/** Modifying an instance takes minutes for each thing that is changed. */
const limit = hours(2);

/** Everything that can be done without touching the live database, and then the plan that people are asked about. */
export const prepareReplacement = defineStep({
  name: 'prepare-replacement',
  summary: 'Makes the restored copy fit to take the place of the damaged database, and plans the exchange.',
  timeout: minutes(2),
  needs: ['coordination:read', 'replicas:prepare-swap'],
  network: 'production', // the copy must answer to the credentials of the config before it may stand in
  input: RecoveryRecord,
  async run(given, context) {
    const { replicas, coordination, operations, clock } = context;
    const record = inPhase(given, 'prepare', clock.now());
    const { request, verification, clean, verdict } = record;
    if (!verification || !clean || !verdict) throw new InvalidInput('the record of the recovery has no copy that was found sound');
    const because = await whyNotLeading(context, record);
    if (because !== undefined) return wrong(record, 'stopped', because);
    const { recoveryId, databaseId, region, requestedBy, reason } = request;
    const { verificationId: restoredId } = verification;
    const { status, says } = await act(context, record, { action: 'prepare-swap', resource: restoredId }, () =>
      replicas.prepareSwap({ databaseId, region, restoredId }),
    );
    const now = clock.now();
    if (status === 'failed') return wrong(record, 'stopped', `${restoredId} failed while it was made fit: ${says}`);
    if (status !== 'available') return notYet(record, 'preparing', `${restoredId}: ${says}`, { now, limit });
    const { length, margin } = operations.failover.lease;
    const inherited = length + margin - secondsBetween(new Date(clean.restoredTo), now);
    if (inherited > 0)
      return notYet(record, 'preparing', `a lease that the copy inherits may run for ${formatSeconds(inherited)}`, { now, limit });
    const planned = planReplacement({
      ...{ operations, record: await coordination.read(), requestedBy, now, reason: `recovery ${recoveryId}: ${reason}` },
      replacement: { databaseId, restoredId, restoredTo: clean.restoredTo, verdict },
    });
    if (planned.kind === 'refused') return wrong(record, 'stopped', planned.because);
    const { plan } = planned;
    if (plan.to !== region || plan.epoch !== request.epoch + 1) return wrong(record, 'stopped', `the lead moved: ${plan.to} leads now`);
    return { ...found(record, 'prepared', `${restoredId} can take the place of ${databaseId}, in epoch ${plan.epoch}`), plan };
  },
});
