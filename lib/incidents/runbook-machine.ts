import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { RunbookStatus } from '../../functions/incidents/runbooks/models.ts';
import { byStatus as anyStatus } from '../machines/by-status.ts';
import { noFailure, pause } from '../machines/machine-states.ts';
import { insistence, machineStep, type StepFunctions } from '../machines/machine-step.ts';

/**
 * Runs one automated runbook because of an alarm (ADR 9): whichever it is, the config says what it does. Every state takes the run's record and returns it; choices look at
 * `$.status` alone.
 *
 * Whatever fails leads to the telling, and never to a good end: the incident that the run is for goes on being chased meanwhile, so nobody waits for this.
 */
export function runRunbook(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string) => machineStep(scope, name, { steps, does });
  const byStatus = (name: string, ways: Parameters<typeof anyStatus<RunbookStatus>>[2], otherwise: sfn.IChainable) =>
    anyStatus<RunbookStatus>(scope, name, ways, otherwise);

  const check = step('May it run?', 'check-runbook');
  const ask = step('Ask a human', 'ask-for-runbook');
  const waitForAnswer = pause(scope, 'Wait for an answer', Duration.minutes(1));
  const answer = step('What do they say?', 'await-runbook-answer');
  const begin = step('Write down what is so now', 'begin-runbook');
  const perform = step('Do it', 'perform-runbook');
  const performInDatabase = step('Do it in the database', 'end-long-queries');
  const settle = pause(scope, 'Let it take effect', Duration.seconds(30));
  const look = step('Did it help?', 'await-runbook-effect');
  const tell = machineStep(scope, 'Tell it', { steps, does: 'report-runbook', retries: insistence });

  const helped = new sfn.Succeed(scope, 'It helped');
  const refused = new sfn.Succeed(scope, 'It may not run: nothing was done');
  const fail = (name: string, error: string, cause: string) => new sfn.Fail(scope, name, { error, cause });
  const didNotHelp = fail('It did not help', 'RunbookDidNotHelp', 'What it did is on the incident. See the runbook of RunbookFailed.');
  const failed = fail(
    'It failed',
    'RunbookFailed',
    'It may be half done. The audit log says how far it came; see the runbook of RunbookFailed.',
  );
  const notTold = fail('Nobody was told', 'NotReported', 'How it ended could not be written down, or people could not be told.');

  // The happy path, from top to bottom.
  check.next(byStatus('Yes, no, or with a yes of theirs?', { may: begin, ask }, tell));
  ask.next(waitForAnswer);
  waitForAnswer.next(answer);
  answer.next(byStatus('Have they answered?', { waiting: waitForAnswer, approved: begin }, tell));
  begin.next(byStatus('How is it done?', { act: perform, 'act-in-database': performInDatabase }, tell));
  // From here on something may have changed.
  for (const done of [perform, performInDatabase])
    done.next(byStatus(`Is it done${done === perform ? '' : ' there'}?`, { acted: settle }, tell));
  settle.next(look);
  look.next(byStatus('Well, or not yet?', { helping: settle }, tell));
  tell.next(
    new sfn.Choice(scope, 'How did it end?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'helped'), noFailure), helped)
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'refused'), noFailure), refused)
      .when(sfn.Condition.stringEquals('$.status', 'not-helped'), didNotHelp)
      .otherwise(failed),
  );

  const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };
  for (const state of [check, ask, answer, begin, perform, performInDatabase, look]) state.addCatch(tell, failure);
  tell.addCatch(notTold, failure);
  return check;
}
