import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { BreachStatus } from '../../functions/failover/breach/models.ts';
import { byStatus as anyStatus } from '../machines/by-status.ts';
import { noFailure, pause } from '../machines/machine-states.ts';
import { machineStep, type StepFunctions } from '../machines/machine-step.ts';
import { afterwards, brief } from './failover-retries.ts';

/**
 * Contains a breach: nothing moves, nobody of the application gets in, what happened is kept, people are told (row F10). Every state takes the breach's record and returns
 * it; choices look at `$.status` alone.
 *
 * Whatever fails leads to what comes next, not to the end: each part is worth having without the one before. A failure stays in the record, so that it never ends well.
 * Opening the network again is no part of it.
 */
export function containBreach(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });
  const byStatus = (name: string, ways: Parameters<typeof anyStatus<BreachStatus>>[2], otherwise: sfn.IChainable) =>
    anyStatus<BreachStatus>(scope, name, ways, otherwise);

  const hold = machineStep(scope, 'Hold everything', { steps, does: 'hold-for-breach', retries: brief });
  const shutOut = machineStep(scope, 'Shut the application out', { steps, does: 'shut-out-application', retries: brief });
  const shutAgain = pause(scope, 'Try the rest again', Duration.seconds(10));
  const begin = step('Take snapshots as it is', 'begin-evidence');
  const beginAgain = pause(scope, 'Wait for the database service', Duration.minutes(2));
  const tell = machineStep(scope, 'Tell people', { steps, does: 'tell-of-breach', retries: afterwards });
  const settle = pause(scope, 'Let the last log lines arrive', Duration.minutes(2));
  const exportLogs = step('Export the logs', 'export-evidence-logs');
  const exportOn = pause(scope, 'Go on exporting', Duration.seconds(10));
  const look = step('Are the snapshots locked away?', 'await-evidence');
  const waitForStorage = pause(scope, 'Wait until they are stored', Duration.minutes(5));
  const seal = step('Seal the evidence', 'seal-evidence');
  const recover = step('Start the recovery', 'recover-after-breach');
  const waitForRecovery = pause(scope, 'Wait for the recovery', Duration.minutes(10));
  const lookAtRecovery = step('Has the recovery ended?', 'await-recovery-after-breach');
  const holdAgain = step('Hold again', 'hold-for-breach');
  const report = machineStep(scope, 'Report', { steps, does: 'report-breach', retries: afterwards });

  const contained = new sfn.Succeed(scope, 'Contained');
  const fail = (name: string, error: string, cause: string) => new sfn.Fail(scope, name, { error, cause });
  const incomplete = fail(
    'Contained, and something is not kept',
    'EvidenceIncomplete',
    'The application is shut out. The report names what could not be kept, told or recovered.',
  );
  const notContained = fail(
    'NOT contained: shut it by hand',
    'NotContained',
    'An application may still reach a database, or nothing holds the lead where it is. See the runbook of SecurityBreach.',
  );
  const notReported = fail('Not reported', 'NotReported', 'How it ended could not be written down, or people could not be told.');

  // The happy path, from top to bottom.
  hold.next(shutOut);
  shutOut.next(byStatus('Is every database shut?', { 'shutting-out': shutAgain }, begin));
  shutAgain.next(shutOut);
  begin.next(byStatus('Is every snapshot begun?', { beginning: beginAgain }, tell));
  beginAgain.next(begin);
  tell.next(settle);
  settle.next(exportLogs);
  exportLogs.next(byStatus('Is everything exported?', { exporting: exportOn }, look));
  exportOn.next(exportLogs);
  look.next(byStatus('Stored, or still at it?', { storing: waitForStorage }, seal));
  waitForStorage.next(look);
  seal.next(byStatus('Is a database to be recovered?', { recover }, report));
  recover.next(byStatus('Is the recovery under way?', { recovering: waitForRecovery }, report));
  waitForRecovery.next(lookAtRecovery);
  lookAtRecovery.next(byStatus('Recovered, or still at it?', { recovering: waitForRecovery, recovered: holdAgain }, report));
  holdAgain.next(report);
  report.next(
    new sfn.Choice(scope, 'Is it contained?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'contained'), noFailure), contained)
      .when(sfn.Condition.stringEquals('$.status', 'not-contained'), notContained)
      .otherwise(incomplete),
  );

  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  hold.addCatch(shutOut, failure);
  shutOut.addCatch(begin, failure);
  begin.addCatch(tell, failure);
  tell.addCatch(settle, failure);
  exportLogs.addCatch(look, failure);
  look.addCatch(seal, failure);
  for (const state of [seal, recover, holdAgain]) state.addCatch(report, failure);
  lookAtRecovery.addCatch(holdAgain, failure);
  report.addCatch(notReported, failure);
  return hold;
}
