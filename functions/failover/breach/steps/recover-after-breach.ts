import { hours, minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { recoveryExecution, requestRecovery } from '../../recovery/request-recovery.ts';
import { BreachRecord } from '../models.ts';
import { act, found, gaveUpAfter, stillWaiting, withGaps } from './breach-step.ts';

/** A restore of some terabytes, an approval, and a replica to follow it. */
const limit = hours(120);

/**
 * Asks for the clean second. The recovery puts a hold of its own and takes it away for the exchange, which a hold would refuse: ours goes before. The network stays
 * shut, because that hangs on the containment. Its id follows from when the evidence was sealed: asked again, it is the same one.
 */
export const recoverAfterBreach = defineStep({
  name: 'recover-after-breach',
  summary: 'Starts the recovery of a database to the second before the breach, once its evidence is kept.',
  timeout: minutes(1),
  needs: ['coordination:read', 'coordination:contain', 'executions:move'],
  input: BreachRecord,
  async run(record, context) {
    const { coordination, executions, operations } = context;
    const { breachId, recover, requestedBy, region } = record.request;
    if (!recover || !record.sealed)
      throw new InvalidInput('the record of the breach names nothing to recover, or its evidence is not sealed');
    const hold = await coordination.hold();
    const requested = requestRecovery({
      ...{ operations, record: await coordination.read(), hold, databaseId: recover.databaseId, until: new Date(recover.until) },
      ...{ requestedBy, reason: `${breachId}: back to what was certainly clean`, now: new Date(record.sealed.at), under: breachId },
    });
    if (requested.kind === 'refused') {
      return found(withGaps(record, [`${recover.databaseId} is not recovered: ${requested.because}`]), 'sealed', requested.because);
    }
    const { request } = requested;
    const execution = recoveryExecution(request);
    if (execution.region !== region)
      return found(withGaps(record, [`${recover.databaseId} is not recovered: the lead moved`]), 'sealed', 'the lead moved');
    await act(
      context,
      record,
      { action: 'start-recovery', resource: request.recoveryId, details: { databaseId: recover.databaseId } },
      async () => {
        if (hold?.by === breachId) await coordination.putHold(undefined);
        await executions.start({ ...execution, input: { request } });
      },
    );
    return found({ ...record, recovery: { recoveryId: request.recoveryId } }, 'recovering', `${request.recoveryId} runs in ${region}`);
  },
});

/** Looks at the recovery; a person approves there. */
export const awaitRecoveryAfterBreach = defineStep({
  name: 'await-recovery-after-breach',
  summary: 'Looks whether the recovery after a breach has ended.',
  timeout: minutes(1),
  needs: ['executions:move'],
  input: BreachRecord,
  async run(record, { executions, clock }) {
    const { recovery, request } = record;
    if (!recovery) throw new InvalidInput('the record of the breach has no recovery to wait for');
    const { recoveryId } = recovery;
    const status = (await executions.describe(recoveryExecution({ region: request.region, recoveryId })))?.status;
    if (status === 'running') {
      const waiting = stillWaiting(record, 'recovering', `${recoveryId} runs`, { now: clock.now(), limit });
      // It goes on without us: a hold now would stop it.
      return waiting ?? found(withGaps(record, [`${recoveryId} still runs: ${gaveUpAfter(limit)}`]), 'sealed', `${recoveryId} still runs`);
    }
    const outcome = status === 'succeeded' ? ('recovered' as const) : ('failed' as const);
    const next = { ...record, recovery: { recoveryId, outcome } };
    if (outcome === 'recovered') return found(next, 'recovered', `${recoveryId} has recovered the database`);
    return found(withGaps(next, [`${recoveryId} did not recover the database; its report says why`]), 'recovered', `${recoveryId} failed`);
  },
});
