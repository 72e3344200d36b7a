import { formatSeconds, seconds, secondsBetween } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { standingOfAlarm } from '../alarm-effect.ts';
import { runbookOf } from '../look.ts';
import { RunbookRecord } from '../models.ts';
import { found } from './runbook-step.ts';

/**
 * One look whether it helped; the machine comes back until it did, or `helpsWithin` is over. A backup mends nothing: it has helped when the snapshot is there. Everything else has
 * when the alarm is well.
 */
export const awaitRunbookEffect = defineStep({
  name: 'await-runbook-effect',
  summary: 'Looks whether an automated runbook helped.',
  timeout: seconds(30),
  needs: ['alarm-states:read', 'incidents:read', 'databases:describe'],
  input: RunbookRecord,
  async run(record, { operations, alarmStates, incidents, databases, clock, region }) {
    const { request, act, actedAt } = record;
    if (!act || !actedAt) throw new InvalidInput('nothing was done whose effect could be looked at');
    const { helpsWithin } = runbookOf(operations, request.runbook);
    const waited = secondsBetween(new Date(actedAt), clock.now());
    const notYet = (says: string) =>
      waited > helpsWithin ? found(record, 'not-helped', `${says} after ${formatSeconds(waited)}`) : found(record, 'helping', says);

    if (act.kind === 'emergency-backup') {
      const snapshot = await databases.describeSnapshot({ region, snapshotId: act.recoveryPointId });
      if (snapshot?.status === 'available') return found(record, 'helped', `${act.recoveryPointId} is available`);
      if (snapshot?.status === 'failed') return found(record, 'not-helped', `the database service failed to take ${act.recoveryPointId}`);
      return notYet(`${act.recoveryPointId} is still being taken`);
    }
    const { state, since } = await standingOfAlarm(request, { alarmStates, incidents, operations });
    const alarm = `${request.alarm} of ${request.subject}`;
    if (state === 'well') return found(record, 'helped', `${alarm} is well${since === undefined ? '' : ` since ${since}`}`);
    return notYet(`${alarm} ${state === 'rings' ? 'still rings' : 'tells nothing'}`);
  },
});
