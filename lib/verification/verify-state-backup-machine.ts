import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { noFailure, pause } from '../machines/machine-states.ts';
import { insistence, machineStep, type StepFunctions } from '../machines/machine-step.ts';

/**
 * Proves a backup of one of Codeblue's own tables (row B5): restore beside the live table, compare item by item, remove.
 * Like the other machine it removes what it made in every path, and never succeeds after a failure.
 */
export function verifyStateBackup(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });

  const restore = step('Start the restore of the table backup', 'start-state-restore');
  const waitForRestore = pause(scope, 'Wait for the restored table', Duration.seconds(60));
  const lookAtRestore = step('Is the restored table up?', 'await-state-restore');
  const compare = step('Compare with the live table', 'compare-state');
  const remove = machineStep(scope, 'Remove the restored table', { steps, does: 'remove-state-restore', retries: insistence });
  const waitForRemoval = pause(scope, 'Wait for the removal', Duration.seconds(20));
  const record = step('Record the result', 'record-state-verdict');
  const verified = new sfn.Succeed(scope, 'Table backup verified');
  const refused = new sfn.Fail(scope, 'Table backup refused', {
    error: 'BackupRefused',
    cause: 'The verdict and its checks are in the record.',
  });

  const whenUp = new sfn.Choice(scope, 'Up, or still starting?')
    .when(sfn.Condition.stringEquals('$.restoreStatus', 'available'), compare)
    .otherwise(waitForRestore);
  const whenCompared = new sfn.Choice(scope, 'All of it, or more to compare?')
    .when(sfn.Condition.isPresent('$.comparison'), compare)
    .otherwise(remove);
  const whenGone = new sfn.Choice(scope, 'Gone, or still there?')
    .when(sfn.Condition.stringEquals('$.removal', 'removed'), record)
    .otherwise(waitForRemoval);
  const byVerdict = new sfn.Choice(scope, 'Verified or refused?')
    .when(sfn.Condition.and(sfn.Condition.stringEquals('$.verdict', 'verified'), noFailure), verified)
    .otherwise(refused);

  // The happy path, from top to bottom. Removing is asked for again until the table is gone.
  restore.next(waitForRestore).next(lookAtRestore).next(whenUp);
  // A large table takes several runs; each begins where the one before ended.
  compare.next(whenCompared);
  remove.next(whenGone);
  waitForRemoval.next(remove);
  record.next(byVerdict);

  const notRemoved = step('Record that the removal failed', 'record-state-verdict');
  const left = new sfn.Fail(scope, 'Restored table left behind', {
    error: 'RestoredTableLeftBehind',
    cause: 'The restored table could not be removed; the sweeper goes on trying. See the runbook of MachineFailed.',
  });
  const unrecorded = new sfn.Fail(scope, 'Verdict not recorded', {
    error: 'VerdictNotRecorded',
    cause: 'The verdict could not be stored: nothing is proven.',
  });
  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  for (const state of [restore, lookAtRestore, compare]) state.addCatch(remove, failure);
  remove.addCatch(notRemoved, failure);
  for (const state of [record, notRemoved]) state.addCatch(unrecorded, failure);
  notRemoved.next(left);

  return restore;
}
