import { minutes, secondsBetween } from '../../../common/duration.ts';
import { NotFound } from '../../../common/errors.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep } from '../../../common/task.ts';
import type { Target } from '../../../verify/models.ts';
import { newVerification } from '../../../verify/verification.ts';
import { chooseCleanState } from '../clean-state.ts';
import { type CleanState, RecoveryRecord } from '../models.ts';
import { found, inPhase, notYet, whyNotLeading, wrong } from './recovery-step.ts';

/** RDS stores the log every five minutes; a damaged server may not store any more of it. */
const logLimit = minutes(20);

const findNeeds = ['coordination:read', 'databases:describe', 'recovery-points:read'] as const;

export const findCleanState = defineStep({
  name: 'find-clean-state',
  summary: 'Finds the last clean state of a damaged database that can be restored.',
  timeout: minutes(1),
  needs: findNeeds,
  input: RecoveryRecord,
  async run(given, context) {
    const { recoveryPoints, clock } = context;
    const now = clock.now();
    const record = inPhase(given, 'restore', now);
    const { recoveryId, databaseId, region, until } = record.request;
    const because = await whyNotLeading(context, record);
    if (because !== undefined) return wrong(record, 'stopped', because);
    const state = { region, points: await recoveryPoints.list(databaseId), live: await liveOf(record, context), until: new Date(until) };
    const waited = secondsBetween(new Date(record.waitingSince ?? now), now);
    const choice = chooseCleanState(state, waited < logLimit ? 'wait' : 'now');
    if (choice.kind === 'wait') return notYet(record, 'waiting', choice.says, { now, limit: logLimit });
    if (choice.kind === 'none') return wrong(record, 'stopped', choice.because);
    const clean = choice.state;
    const verification = newVerification({ databaseId, region, purpose: 'recovery', target: targetOf(clean), now, attempt: recoveryId });
    return { ...found(record, 'chosen', saysOf(clean)), clean, verification };
  },
});

/** A server that is gone has no log any more, and may still have backups. */
async function liveOf({ request: { databaseId, region } }: RecoveryRecord, { databases }: PortsFor<(typeof findNeeds)[number]>) {
  try {
    return await databases.describe(databaseId, region);
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

const targetOf = (clean: CleanState): Target =>
  clean.method === 'transaction-log'
    ? { kind: 'point-in-time', time: clean.restoredTo }
    : { kind: 'recovery-point', recoveryPointId: clean.recoveryPointId, snapshotId: clean.snapshotId };

const saysOf = (clean: CleanState): string =>
  clean.method === 'transaction-log'
    ? `snapshot and log as of ${clean.restoredTo}; the newest proven backup before it is ${clean.provenBefore ?? 'none'}`
    : `the proven backup ${clean.recoveryPointId}, because the log does not reach that far back`;
