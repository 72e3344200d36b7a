import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FullTestStatus } from '../../functions/failover/drill/full-test-models.ts';
import { byStatus as anyStatus } from '../machines/by-status.ts';
import { noFailure, pause } from '../machines/machine-states.ts';
import { machineStep, type StepFunctions } from '../machines/machine-step.ts';
import { afterwards } from './failover-retries.ts';

/**
 * Moves the lead for real and back (row F9). It moves nothing itself: the machine `failover` does, with a plan that a human approves, and the machine
 * `failback` brings the lead back and then makes this Region a replica again. Every state takes the test's record and returns it; choices look at
 * `$.status` alone.
 */
export function fullTest(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });

  const move = step('Ask for the planned change', 'move-for-full-test');
  const waitForMove = pause(scope, 'Wait for the change', Duration.seconds(30));
  const lookAtMove = step('Has the lead moved?', 'await-full-test-move');
  const watch = step('Run here and watch', 'watch-full-test');
  const goOnWatching = pause(scope, 'Go on watching', Duration.seconds(20));
  const goBack = step('Go back', 'return-from-full-test');
  const waitForReturn = pause(scope, 'Wait for the failback', Duration.minutes(5));
  const lookAtReturn = step('Is the lead back?', 'await-full-test-return');
  const protect = step('Make this Region a replica again', 'protect-after-full-test');
  const waitForReplica = pause(scope, 'Wait for the replica', Duration.minutes(5));
  const lookAtReplica = step('Is it a replica again?', 'await-full-test-protection');
  const report = machineStep(scope, 'Report', { steps, does: 'report-full-test', retries: afterwards });

  const passed = new sfn.Succeed(scope, 'Full test passed');
  const fail = (name: string, error: string, cause: string) => new sfn.Fail(scope, name, { error, cause });
  const missed = fail('Full test missed its objectives', 'ObjectivesMissed', 'Everything is as it was. The report has the figures.');
  const stopped = fail(
    'Full test stopped: look who leads',
    'FullTestStopped',
    'The report says why, and whether the lead is back and protected.',
  );
  const notReported = fail('Full test not reported', 'NotReported', 'How it ended could not be written down, or people could not be told.');
  const byStatus = (name: string, ways: Parameters<typeof anyStatus<FullTestStatus>>[2]) =>
    anyStatus<FullTestStatus>(scope, name, ways, report);

  move.next(byStatus('Is the change asked for?', { moving: waitForMove }));
  waitForMove.next(lookAtMove);
  lookAtMove.next(byStatus('Moved, or still at it?', { moved: watch, moving: waitForMove }));
  goOnWatching.next(watch);
  watch.next(byStatus('Stay, or go back?', { watching: goOnWatching, 'go-back': goBack }));
  goBack.next(byStatus('Is the failback under way?', { returning: waitForReturn }));
  waitForReturn.next(lookAtReturn);
  lookAtReturn.next(byStatus('Does the first Region lead again?', { returned: protect, returning: waitForReturn }));
  protect.next(byStatus('Is the replica under way?', { protecting: waitForReplica }));
  waitForReplica.next(lookAtReplica);
  lookAtReplica.next(byStatus('Protected, or still being built?', { protecting: waitForReplica }));
  report.next(
    new sfn.Choice(scope, 'Did it pass?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'passed'), noFailure), passed)
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'missed'), noFailure), missed)
      .otherwise(stopped),
  );

  // Once the change is asked for a failure leads back: whether there is a lead to give back is the first thing that step looks at.
  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  for (const state of [lookAtMove, watch]) state.addCatch(goBack, failure);
  for (const state of [move, goBack, lookAtReturn, protect, lookAtReplica]) state.addCatch(report, failure);
  report.addCatch(notReported, failure);
  return move;
}
