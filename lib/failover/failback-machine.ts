import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FailbackStatus } from '../../functions/failover/failback/models.ts';
import { byStatus as anyStatus } from '../machines/by-status.ts';
import { noFailure, pause } from '../machines/machine-states.ts';
import { machineStep, type StepFunctions } from '../machines/machine-step.ts';
import { afterwards } from './failover-retries.ts';

/**
 * Makes the old Region a replica again and gives it the lead back (row F8). Every state takes the failback's record and returns it; choices look at
 * `$.status` alone.
 *
 * Nothing here writes to the primary but canaries: whatever fails, it goes on serving. Only the last act moves the lead, and that is the machine `failover`
 * with a planned change, which gives the lease back by itself where it cannot be done without loss.
 */
export function failback(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });
  const byStatus = (name: string, ways: Parameters<typeof anyStatus<FailbackStatus>>[2]) =>
    anyStatus<FailbackStatus>(scope, name, ways, record); // whatever else it is, it is written down

  const lookForRegion = step('Is the old Region back?', 'await-old-region');
  const waitForRegion = pause(scope, 'Wait for the old Region', Duration.minutes(2));
  const list = step('List the writes nobody else got', 'list-lost-writes');
  const keep = step("Keep the old primary's data", 'keep-old-primary');
  const waitForBackup = pause(scope, 'Wait until it is stored', Duration.minutes(2));
  const rebuild = step('Rebuild the old Region as a replica', 'rebuild-old-region');
  const waitForName = pause(scope, 'Wait until the old primary is moved aside', Duration.minutes(1));
  const waitForReplica = pause(scope, 'Wait for the replica', Duration.minutes(2));
  const lookAtReplica = step('Is the replica streaming?', 'await-replica');
  const prove = step('Prove the replica equal', 'prove-replica');
  const handOver = step('Hand the lease over', 'hand-over');
  const waitForHandOver = pause(scope, 'Wait for the hand-over', Duration.minutes(1));
  const lookAtHandOver = step('Has the hand-over ended?', 'await-hand-over');
  const record = machineStep(scope, 'Record how it ended', { steps, does: 'record-failback', retries: afterwards });

  const done = new sfn.Succeed(scope, 'Failed back');
  const stopped = new sfn.Fail(scope, 'Stopped: the primary is as it was', {
    error: 'FailbackStopped',
    cause: 'The record and the report say why. The primary goes on serving. See the runbook of FailbackStuck.',
  });
  const notRecorded = new sfn.Fail(scope, 'Failback not recorded', {
    error: 'NotRecorded',
    cause: 'How the failback ended could not be written down, or people could not be told.',
  });

  // The happy path, from top to bottom.
  lookForRegion.next(byStatus('Back, or still away?', { back: list, waiting: waitForRegion, 'handed-over': record }));
  waitForRegion.next(lookForRegion);
  list.next(byStatus('Is every table listed?', { listed: keep, listing: list }));
  keep.next(byStatus('Is it stored?', { kept: rebuild, keeping: waitForBackup }));
  waitForBackup.next(keep);
  rebuild.next(byStatus('Is it being rebuilt?', { rebuilding: lookAtReplica, 'moving-aside': waitForName }));
  waitForName.next(rebuild);
  lookAtReplica.next(byStatus('Streaming, or still being built?', { streaming: prove, rebuilding: waitForReplica }));
  waitForReplica.next(lookAtReplica);
  prove.next(byStatus('Is every replica proven?', { proven: handOver, proving: prove }));
  handOver.next(byStatus('Is the lead given back?', { 'handing-over': waitForHandOver, stays: record }));
  waitForHandOver.next(lookAtHandOver);
  lookAtHandOver.next(byStatus('Does the old Region lead?', { 'handed-over': record, 'handing-over': waitForHandOver }));
  record.next(
    new sfn.Choice(scope, 'Done and recorded?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'recorded'), noFailure), done)
      .otherwise(stopped),
  );

  // Whatever fails is written down and told, and is never a success.
  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  for (const state of [lookForRegion, list, keep, rebuild, lookAtReplica, prove, handOver, lookAtHandOver]) state.addCatch(record, failure);
  record.addCatch(notRecorded, failure);
  return lookForRegion;
}
