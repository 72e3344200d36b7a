import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** How an execution can end: two ways well, all others as failures, which raise an alarm. */
export function failoverEnds(scope: Construct) {
  const fail = (name: string, error: string, cause: string) => new sfn.Fail(scope, name, { error, cause });
  return {
    complete: new sfn.Succeed(scope, 'Failover complete'),
    nothingToDo: new sfn.Succeed(scope, 'Nothing to do'),
    rolledBack: fail(
      'Rolled back: the old primary leads',
      'RolledBack',
      'The lease is where it was; the record says why. Nothing was lost.',
    ),
    lost: fail('Somebody else moved', 'SomebodyElseMoved', 'The epoch of this plan is taken or over; this execution did nothing more.'),
    startAgain: fail(
      'Beyond the point of no return: start it again',
      'StartAgain',
      'It failed where the lease could not be given back any more. Observers start it again with the plan that the record holds.',
    ),
    waiting: fail('Waiting for a human', 'WaitingForAHuman', 'People were paged. See the runbook of FailoverStuck.'),
    notRecorded: fail(
      'Complete, but not told or not recorded',
      'NotRecorded',
      'The new primary leads and is open. People were not told, or the report was not written.',
    ),
  };
}
export type FailoverEnds = ReturnType<typeof failoverEnds>;
