import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noFailure, pause } from '../machines/machine-states.ts';
import { insistence, machineStep, type StepFunctions } from '../machines/machine-step.ts';

/**
 * Proves one backup by restoring it (row V1). Every state takes the verification's record and returns it. Whatever fails
 * before the teardown leads to the teardown with `$.failure` in the record, and a record with a failure in it never ends
 * in "Backup verified", whatever its verdict says.
 */
export function verifyRecoveryPoint(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });
  const insist = (name: string, does: string) => machineStep(scope, name, { steps, does, retries: insistence });

  const pick = step('Pick the recovery point', 'pick-recovery-point');
  const checkBytes = step('Check the stored bytes', 'check-integrity');
  const restore = step('Restore into isolation', 'start-restore');
  const waitForRestore = pause(scope, 'Wait for the restored database', Duration.seconds(30));
  const lookAtRestore = step('Is the restored database up?', 'await-restore');
  const compare = step('Compare what came back', 'compare-content');
  const teardown = insist('Tear the restored database down', 'start-teardown');
  const waitForRemoval = pause(scope, 'Wait for the removal', Duration.seconds(20));
  const lookAtRemoval = insist('Is it gone?', 'await-teardown');
  const record = step('Sign the proof and record the verdict', 'record-verdict');
  const verified = new sfn.Succeed(scope, 'Backup verified');
  const refused = new sfn.Fail(scope, 'Backup refused', { error: 'BackupRefused', cause: 'The verdict and its checks are in the record.' });

  const whenUp = new sfn.Choice(scope, 'Up, or still starting?')
    .when(sfn.Condition.stringEquals('$.restoreStatus', 'available'), compare)
    .otherwise(waitForRestore);
  const whenGone = new sfn.Choice(scope, 'Gone, or still there?')
    .when(sfn.Condition.stringEquals('$.teardown.status', 'removed'), record)
    .otherwise(waitForRemoval);
  const byVerdict = new sfn.Choice(scope, 'Verified or refused?')
    .when(sfn.Condition.and(sfn.Condition.stringEquals('$.verdict', 'verified'), noFailure), verified)
    .otherwise(refused);

  // The happy path, from top to bottom.
  pick.next(checkBytes).next(restore).next(waitForRestore).next(lookAtRestore).next(whenUp);
  compare.next(teardown).next(waitForRemoval).next(lookAtRemoval).next(whenGone);
  record.next(byVerdict);

  // Nothing restored survives a failure, and a failure is never a success.
  const notTornDown = step('Record that teardown failed', 'record-verdict');
  const left = new sfn.Fail(scope, 'Restored database left behind', {
    error: 'RestoredDatabaseLeftBehind',
    cause: 'The restored database could not be removed; the sweeper goes on trying. See the runbook of MachineFailed.',
  });
  const unrecorded = new sfn.Fail(scope, 'Verdict not recorded', {
    error: 'VerdictNotRecorded',
    cause: 'The verdict could not be signed or stored: nothing is proven.',
  });
  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  for (const state of [pick, checkBytes, restore, lookAtRestore, compare]) state.addCatch(teardown, failure);
  for (const state of [teardown, lookAtRemoval]) state.addCatch(notTornDown, failure);
  for (const state of [record, notTornDown]) state.addCatch(unrecorded, failure);
  notTornDown.next(left);

  return pick;
}
