import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { RehearsalStatus } from '../../functions/failover/drill/models.ts';
import { byStatus as anyStatus } from '../machines/by-status.ts';
import { noFailure, pause } from '../machines/machine-states.ts';
import { insistence, machineStep, type StepFunctions } from '../machines/machine-step.ts';
import { afterwards } from './failover-retries.ts';

/**
 * Rehearses a failover on temporary replicas (row F9). It claims nothing and touches no live database: whatever fails, and whenever the live system
 * degrades, it goes to the teardown. Every state takes the rehearsal's record and returns it; choices look at `$.status` alone.
 */
export function rehearsal(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });
  const insist = (name: string, does: string) => machineStep(scope, name, { steps, does, retries: insistence });

  const look = step('Is the live system well?', 'look-at-live-system');
  const make = step('Make a rehearsal replica', 'make-rehearsal');
  const waitForReplica = pause(scope, 'Wait for the rehearsal replica', Duration.seconds(30));
  const lookAtReplica = step('Is it up?', 'await-rehearsal');
  const promote = step('Promote the rehearsal replica', 'promote-rehearsal');
  const waitForPromotion = pause(scope, 'Wait for the promotion', Duration.seconds(5));
  const lookAtPromotion = step('Is it promoted?', 'await-rehearsal');
  const write = step('Write to it', 'write-to-replica');
  const writeToClone = step('Write to the clones', 'write-to-clone');
  const teardown = insist('Tear it down', 'remove-rehearsal');
  const waitForRemoval = pause(scope, 'Wait for the removal', Duration.seconds(20));
  const lookAtRemoval = insist('Is it gone?', 'await-rehearsal-removal');
  const report = machineStep(scope, 'Report', { steps, does: 'report-rehearsal', retries: afterwards });

  const passed = new sfn.Succeed(scope, 'Rehearsal passed');
  const fail = (name: string, error: string, cause: string) => new sfn.Fail(scope, name, { error, cause });
  const missed = fail('Rehearsal missed its objectives', 'ObjectivesMissed', 'The report has the figures. The live system is as it was.');
  const aborted = fail('Rehearsal aborted', 'RehearsalAborted', 'The report says why. The live system is as it was.');
  const notReported = fail('Rehearsal not reported', 'NotReported', 'How it ended could not be written down, or people could not be told.');
  const byStatus = (name: string, ways: Parameters<typeof anyStatus<RehearsalStatus>>[2]) =>
    anyStatus<RehearsalStatus>(scope, name, ways, teardown); // whatever else it is, everything temporary goes

  look.next(byStatus('Well enough for a drill?', { well: make }));
  make.next(byStatus('Is it being made?', { creating: lookAtReplica }));
  waitForReplica.next(lookAtReplica);
  lookAtReplica.next(byStatus('Up, or still being made?', { up: promote, creating: waitForReplica }));
  promote.next(byStatus('Is it being promoted?', { promoting: lookAtPromotion }));
  waitForPromotion.next(lookAtPromotion);
  lookAtPromotion.next(byStatus('Promoted, or still at it?', { up: write, creating: waitForPromotion }));
  write.next(byStatus('Did it take a write?', { written: writeToClone, up: write, promoting: waitForPromotion }));
  writeToClone.next(byStatus('Did they take a write?', { written: teardown, up: writeToClone, promoting: waitForPromotion }));
  teardown.next(lookAtRemoval);
  waitForRemoval.next(lookAtRemoval);
  lookAtRemoval.next(
    new sfn.Choice(scope, 'Gone, or still there?')
      .when(sfn.Condition.stringEquals('$.status', 'removed'), report)
      .otherwise(waitForRemoval),
  );
  report.next(
    new sfn.Choice(scope, 'Were the objectives kept?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'passed'), noFailure), passed)
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'missed'), noFailure), missed)
      .otherwise(aborted),
  );

  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  for (const state of [look, make, lookAtReplica, promote, lookAtPromotion, write, writeToClone]) state.addCatch(teardown, failure);
  for (const state of [teardown, lookAtRemoval]) state.addCatch(report, failure);
  report.addCatch(notReported, failure);
  return look;
}
