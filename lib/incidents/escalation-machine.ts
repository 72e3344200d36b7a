import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { EscalationRecord } from '../../functions/incidents/models.ts';
import { byStatus } from '../machines/by-status.ts';
import { machineStep, type Retries, type StepFunctions } from '../machines/machine-step.ts';

/** Waits of 2, 4, 8, 16 and then 30 s: about two hours in all, in which the auditor of the pager raises its own alarm. */
const relentless: Retries = { errors: 'all', interval: Duration.seconds(2), maxDelay: Duration.seconds(30), maxAttempts: 240 };

/**
 * Chases people about one generation of an incident until somebody answers (ADR 9). It computes, writes down, sends and sleeps; a wait that an acknowledgement came
 * into wakes up, finds nothing due, and tells nobody. Every state takes the escalation's record and returns it.
 */
export function escalateIncident(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does, retries: relentless });

  const plan = step('Who must be told now?', 'plan-pages');
  const tell = step('Tell them', 'send-pages');
  const wait = new sfn.Wait(scope, 'Wait for an answer', { time: sfn.WaitTime.timestampPath('$.wakeAt') });
  const over = new sfn.Succeed(scope, 'Nobody must be told any more');
  const relayed = new sfn.Succeed(scope, 'The next execution goes on');
  const notTold = new sfn.Fail(scope, 'Somebody may not have been told', {
    error: 'NobodyIsChased',
    cause:
      'The pages of this incident are not written down or not sent any more. The auditor of the pager says which; see the runbook of MachineFailed.',
  });

  plan.next(byStatus<EscalationRecord['status']>(scope, 'Is anybody to be told?', { tell, waiting: wait, over, relay: relayed }, notTold));
  tell.next(wait);
  wait.next(plan);

  for (const state of [plan, tell]) state.addCatch(notTold, { errors: [sfn.Errors.ALL], resultPath: '$.failure' });
  return plan;
}
