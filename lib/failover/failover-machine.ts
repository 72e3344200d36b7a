import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FailoverStatus } from '../../functions/failover/models.ts';
import { byStatus as anyStatus } from '../machines/by-status.ts';
import { noFailure, pause } from '../machines/machine-states.ts';
import { machineStep, type Retries, type StepFunctions } from '../machines/machine-step.ts';
import { afterwards, brief, onward, untilTold } from './failover-retries.ts';

/**
 * Moves the lead to another Region (row F3). Every state takes the failover's record and returns it; choices look at `$.status` alone.
 *
 * Before the point of no return every refusal, expiry and failure gives the lease back. Beyond it the machine only goes forward, insists, and calls a human when that is
 * not enough. Everything may be repeated: an execution that starts with the plan of one that died goes on from where the coordination record says it was.
 */
export function failover(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const step = (name: string, does: string, retries: Retries) => machineStep(scope, name, { steps, does, retries });
  const byStatus = (name: string, ways: Parameters<typeof anyStatus<FailoverStatus>>[2], otherwise: sfn.IChainable) =>
    anyStatus<FailoverStatus>(scope, name, ways, otherwise);
  const ends = endsOf(scope);
  const { lost } = ends;

  const assess = step('Assess whether to move', 'assess-failover', brief);
  const claim = step('Claim the next epoch', 'claim-epoch', brief);
  const fence = step('Can the old primary still write?', 'await-fence', brief);
  const measure = step('Measure what would be lost', 'measure-loss', brief);
  const commit = step('POINT OF NO RETURN: commit to the new primary', 'commit-promotion', untilTold);
  const promote = step('Promote the replica', 'promote-replica', onward);
  const scale = step('Scale the new Region up', 'scale-up', onward);
  const waitForPrimary = pause(scope, 'Wait for the new primary', Duration.seconds(2));
  const lookAtPrimary = step('Is the new primary up?', 'await-promotion', onward);
  const note = step('Note where the new history begins', 'note-beginning', onward);
  const open = step('Open the new primary for writes', 'open-primary', onward);
  const confirm = step('Confirm with canary writes', 'confirm-writes', onward);
  const move = step('Move the traffic', 'move-traffic', afterwards);
  const lookAtStrength = step('Is the new Region at strength?', 'await-strength', afterwards);
  const tell = step('Tell people', 'tell-people', afterwards);
  const record = step('Record what happened', 'record-failover', afterwards);

  const giveBack = step('Give the lease back', 'give-lease-back', onward);
  const notOpen = step('Call a human: the new primary is not open', 'call-human', afterwards);
  const notFinished = step('Call a human: the new primary is open, the rest is not done', 'call-human', afterwards);
  const notGivenBack = step('Call a human: the lease could not be given back', 'call-human', afterwards);

  const ask = (question: Question, approved: sfn.IChainable) => {
    const asked = step(question.ask, 'ask-human', brief);
    const waitForAnswer = pause(scope, question.wait, Duration.seconds(5));
    const look = step(question.look, 'await-answer', brief);
    asked
      .next(waitForAnswer)
      .next(look)
      .next(byStatus(question.judged, { approved, waiting: waitForAnswer }, giveBack));
    for (const state of [asked, look]) state.addCatch(giveBack, failure);
    return asked;
  };

  // The happy path, from top to bottom.
  assess.next(
    byStatus(
      'Called for?',
      { go: claim, ask: ask(mayItStart, claim), committed: promote, promoted: note, 'not-called-for': ends.nothingToDo, lost },
      giveBack,
    ),
  );
  claim.next(byStatus('Is the claim ours?', { claimed: fence, committed: promote, promoted: note, lost }, giveBack));
  fence.next(
    byStatus('Is it fenced?', { fenced: measure, waiting: fence, unfenced: ask(isItOff, fence), committed: promote, lost }, giveBack),
  );
  const waitForMark = pause(scope, 'Wait for the closing mark of the old primary', Duration.seconds(1));
  waitForMark.next(measure);
  measure.next(
    byStatus(
      'Is the loss within the budget?',
      { 'within-budget': commit, behind: waitForMark, 'over-budget': ask(isItAcceptable, commit), committed: promote, lost },
      giveBack,
    ),
  );
  commit.next(byStatus('Committed?', { committed: promote, lost }, giveBack));
  promote.next(byStatus('Is promotion under way?', { promoting: scale, lost }, notOpen));
  scale.next(lookAtPrimary);
  waitForPrimary.next(lookAtPrimary);
  lookAtPrimary.next(byStatus('Up, or still being promoted?', { promoted: note, waiting: waitForPrimary, lost }, notOpen));
  note.next(byStatus('Is it noted?', { noted: open, lost }, notOpen));
  open.next(byStatus('Is it open?', { open: confirm, lost }, notOpen));
  confirm.next(byStatus('Is it confirmed?', { confirmed: move, lost }, notOpen));
  const waitForStrength = pause(scope, 'Wait for the services of the new Region', Duration.seconds(10));
  waitForStrength.next(lookAtStrength);
  move.next(byStatus('Has the traffic moved?', { moved: lookAtStrength, lost }, notFinished));
  lookAtStrength.next(byStatus('At strength, or still starting?', { 'at-strength': tell, waiting: waitForStrength, lost }, notFinished));
  tell.next(record);
  record.next(
    new sfn.Choice(scope, 'Told and recorded?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'done'), noFailure), ends.complete)
      .otherwise(ends.notRecorded),
  );

  // Before the point of no return everything leads back; beyond it nothing does.
  for (const state of [assess, claim, fence, measure, commit]) state.addCatch(giveBack, failure);
  giveBack.next(byStatus('Given back?', { 'rolled-back': ends.rolledBack, committed: ends.startAgain }, lost));
  giveBack.addCatch(notGivenBack, failure);
  for (const state of [promote, scale, lookAtPrimary, note, open, confirm]) state.addCatch(notOpen, failure);
  for (const state of [move, lookAtStrength]) state.addCatch(notFinished, failure);
  tell.addCatch(record, failure); // who could not be told is no reason to write nothing down
  record.addCatch(ends.notRecorded, failure);
  for (const state of [notOpen, notFinished, notGivenBack]) {
    state.addCatch(ends.waiting, failure);
    state.next(ends.waiting);
  }
  return assess;
}

const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };

interface Question {
  readonly ask: string;
  readonly wait: string;
  readonly look: string;
  readonly judged: string;
}

const mayItStart: Question = {
  ask: 'Ask a human to start',
  wait: 'Wait for the answer to start',
  look: 'Has a human answered?',
  judged: 'May it start?',
};
const isItOff: Question = {
  ask: 'Ask a human whether the old primary is off',
  wait: 'Wait for the answer whether it is off',
  look: 'Has a human said that it is off?',
  judged: 'Is it off?',
};
const isItAcceptable: Question = {
  ask: 'Ask a human to accept the loss',
  wait: 'Wait for the answer about the loss',
  look: 'Has a human accepted the loss?',
  judged: 'Is the loss accepted?',
};

/** How an execution can end: two ways well, all others as failures, which raise an alarm. */
function endsOf(scope: Construct) {
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
