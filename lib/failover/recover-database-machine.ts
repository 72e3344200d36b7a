import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { RecoveryStatus } from '../../functions/failover/recovery/models.ts';
import { byStatus as anyStatus } from '../machines/by-status.ts';
import { noFailure, pause } from '../machines/machine-states.ts';
import { insistence, machineStep, type StepFunctions } from '../machines/machine-step.ts';
import { afterwards } from './failover-retries.ts';

/**
 * Puts a database back to a second before it was damaged (row F10). It closes and renames nothing itself: the machine `failover` does, with a plan that a human approves.
 * Until then the live database is not touched, and whatever fails leads to the teardown of the copy, or to people where the exchange is under way.
 *
 * Every state takes the recovery's record and returns it; choices look at `$.status`. Restore, inspection and teardown are the steps of verifications, on the record of
 * a verification in `$.verification`.
 */
export function recoverDatabase(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });
  const insist = (name: string, does: string) => machineStep(scope, name, { steps, does, retries: insistence });
  const onCopy = (name: string, does: string) => machineStep(scope, name, { steps, does, on: '$.verification' });
  const insistOnCopy = (name: string, does: string) => machineStep(scope, name, { steps, does, on: '$.verification', retries: insistence });

  const hold = step('Hold automatic moves', 'hold-for-recovery');
  const keep = step('Keep the damaged database as it is', 'keep-damaged-database');
  const waitForBackup = pause(scope, 'Wait until it is stored', Duration.minutes(1));
  const find = step('Find the last clean state', 'find-clean-state');
  const waitForLog = pause(scope, 'Wait for the transaction log', Duration.seconds(30));
  const checkBytes = onCopy('Check the stored bytes', 'check-integrity');
  const restore = onCopy('Restore beside the live database', 'start-restore');
  const waitForRestore = pause(scope, 'Wait for the restored copy', Duration.seconds(30));
  const lookAtRestore = onCopy('Is the restored copy up?', 'await-restore');
  const compare = onCopy('Inspect what came back', 'compare-content');
  const judge = step('Is the copy sound?', 'judge-restored-copy');
  const prepare = step('Make the copy fit to take the place', 'prepare-replacement');
  const waitForFitness = pause(scope, 'Wait until it is fit', Duration.seconds(30));
  const replace = step('Ask for the exchange', 'start-replacement');
  const waitForReplacement = pause(scope, 'Wait for the exchange', Duration.minutes(1));
  const lookAtReplacement = insist('Has the copy taken the place?', 'await-replacement');
  const protect = step('Rebuild the replica from the copy', 'protect-after-recovery');
  const waitForReplica = pause(scope, 'Wait for the replica', Duration.minutes(10));
  const lookAtReplica = insist('Does the replica follow the copy?', 'await-recovery-protection');
  const giveUp = insist('Give up: may the copy go?', 'give-up-recovery');
  const teardown = insistOnCopy('Tear the copy down', 'start-teardown');
  const waitForRemoval = pause(scope, 'Wait for the removal', Duration.seconds(20));
  const lookAtRemoval = insistOnCopy('Is the copy gone?', 'await-teardown');
  const report = machineStep(scope, 'Report', { steps, does: 'report-recovery', retries: afterwards });

  const recovered = new sfn.Succeed(scope, 'Recovered');
  const fail = (name: string, error: string, cause: string) => new sfn.Fail(scope, name, { error, cause });
  const asItWas = fail(
    'Not recovered: the database is as it was',
    'NotRecovered',
    'The report says why. Nothing took the place of the live database.',
  );
  const unprotected = fail(
    'Recovered, but without a replica',
    'Unprotected',
    'The restored copy leads. The other Region is no proven replica of it: see the runbook of FailbackStuck.',
  );
  const unclear = fail(
    'The exchange is not over: look who leads',
    'RecoveryUnclear',
    'The machine failover may still put the copy in the place, so it was not removed. See the runbook of DatabaseCorruption.',
  );
  const notReported = fail('Recovery not reported', 'NotReported', 'How it ended could not be written down, or people could not be told.');

  /** What is not named: what was made goes, unless the exchange is under way. */
  const byStatus = (name: string, ways: Parameters<typeof anyStatus<RecoveryStatus>>[2]) =>
    anyStatus<RecoveryStatus>(scope, name, ways, giveUp);
  const orReport = (name: string, ways: Parameters<typeof anyStatus<RecoveryStatus>>[2]) =>
    anyStatus<RecoveryStatus>(scope, name, ways, report);

  // The happy path, from top to bottom.
  hold.next(orReport('Is it held?', { held: keep }));
  keep.next(byStatus('Is what there is kept?', { kept: find, keeping: waitForBackup }));
  waitForBackup.next(keep);
  find.next(byStatus('Is there a clean state?', { chosen: checkBytes, waiting: waitForLog }));
  waitForLog.next(find);
  checkBytes.next(restore).next(waitForRestore).next(lookAtRestore);
  lookAtRestore.next(
    new sfn.Choice(scope, 'Up, or still starting?')
      .when(sfn.Condition.stringEquals('$.verification.restoreStatus', 'available'), compare)
      .otherwise(waitForRestore),
  );
  compare.next(judge);
  judge.next(byStatus('May it be used?', { sound: prepare }));
  prepare.next(byStatus('Is it fit?', { prepared: replace, preparing: waitForFitness }));
  waitForFitness.next(prepare);
  // From here on the machine `failover` acts. Only it passes the point of no return.
  replace.next(byStatus('Is the exchange asked for?', { replacing: waitForReplacement }));
  waitForReplacement.next(lookAtReplacement);
  lookAtReplacement.next(byStatus('Replaced, or still at it?', { replaced: protect, replacing: waitForReplacement, unclear: report }));
  protect.next(orReport('Is the replica being rebuilt?', { protecting: waitForReplica }));
  waitForReplica.next(lookAtReplica);
  lookAtReplica.next(orReport('Protected, or still being built?', { protecting: waitForReplica }));
  report.next(
    new sfn.Choice(scope, 'How did it end?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'recovered'), noFailure), recovered)
      .when(sfn.Condition.stringEquals('$.status', 'unprotected'), unprotected)
      .when(sfn.Condition.stringEquals('$.status', 'unclear'), unclear)
      .otherwise(asItWas),
  );

  // Whatever fails before the copy leads. Nothing restored stays, and a failure is never a success.
  giveUp.next(orReport('May it be removed?', { 'tearing-down': teardown }));
  teardown.next(waitForRemoval).next(lookAtRemoval);
  lookAtRemoval.next(
    new sfn.Choice(scope, 'Gone, or still there?')
      .when(sfn.Condition.stringEquals('$.verification.teardown.status', 'removed'), report)
      .otherwise(waitForRemoval),
  );

  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  const beforeTheCopyLeads = [hold, keep, find, checkBytes, restore, lookAtRestore, compare, judge, prepare, replace, lookAtReplacement];
  for (const state of beforeTheCopyLeads) state.addCatch(giveUp, failure);
  for (const state of [protect, lookAtReplica, giveUp, teardown, lookAtRemoval]) state.addCatch(report, failure);
  report.addCatch(notReported, failure);
  return hold;
}
