import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FailoverStatus } from '../../functions/failover/models.ts';
import { byStatus } from '../machines/by-status.ts';
import { noFailure } from '../machines/machine-states.ts';
import type { StepFunctions } from '../machines/machine-step.ts';
import { type FailoverEnds, failoverEnds } from './failover-ends.ts';
import { type FailoverStates, failoverStates, type Question, questionStates, questions } from './failover-states.ts';

/**
 * Moves the lead to another Region (row F3). Every state takes the failover's record and returns it; choices look at `$.status` alone.
 *
 * Before the point of no return every refusal, expiry and failure gives the lease back. Beyond it the machine only goes forward, insists, and
 * calls a human when that is not enough. Everything may be repeated: an execution that starts with the plan of one that died goes on from
 * where the coordination record says it was.
 */
export function failover(scope: Construct, steps: StepFunctions): sfn.IChainable {
  const states = failoverStates(scope, steps);
  const ends = failoverEnds(scope);
  const ask = (question: Question, approved: sfn.IChainable): sfn.IChainable => {
    const { asked, waitForAnswer, look } = questionStates(scope, steps, question);
    const byAnswer = byStatus<FailoverStatus>(scope, question.judged, { approved, waiting: waitForAnswer }, states.giveBack);
    asked.next(waitForAnswer).next(look).next(byAnswer);
    for (const state of [asked, look]) state.addCatch(states.giveBack, failure);
    return asked;
  };
  upToTheCommit(scope, states, ends, ask);
  beyondTheCommit(scope, states, ends);
  whereItCannotGoOn(scope, states, ends);
  return states.assess;
}

const failure = { errors: [sfn.Errors.ALL], resultPath: '$.failure' };

type Ways = { readonly [S in FailoverStatus]?: sfn.IChainable };

/** The happy path until the point of no return. What is not named gives the lease back. */
function upToTheCommit(
  scope: Construct,
  { assess, claim, fence, measure, waitForMark, commit, promote, note, giveBack }: FailoverStates,
  { nothingToDo, lost }: FailoverEnds,
  ask: (question: Question, approved: sfn.IChainable) => sfn.IChainable,
): void {
  const choose = (name: string, ways: Ways) => byStatus<FailoverStatus>(scope, name, { ...ways, lost }, giveBack);
  // An execution that takes over goes on where the one before came to.
  const further = { committed: promote, promoted: note };
  const start = ask(questions.mayItStart, claim);
  assess.next(choose('Called for?', { go: claim, ask: start, 'not-called-for': nothingToDo, ...further }));
  claim.next(choose('Is the claim ours?', { claimed: fence, ...further }));
  const off = ask(questions.isItOff, fence);
  fence.next(choose('Is it fenced?', { fenced: measure, waiting: fence, unfenced: off, committed: promote }));
  waitForMark.next(measure);
  const accept = ask(questions.isItAcceptable, commit);
  const measured = { 'within-budget': commit, behind: waitForMark, 'over-budget': accept, committed: promote };
  measure.next(choose('Is the loss within the budget?', measured));
  commit.next(choose('Committed?', { committed: promote }));
}

/** The happy path from there on. What is not named calls a human. */
function beyondTheCommit(scope: Construct, states: FailoverStates, { lost, complete, notRecorded }: FailoverEnds): void {
  const { promote, scale, waitForPrimary, lookAtPrimary, note, open, confirm, notOpen } = states;
  const { move, waitForStrength, lookAtStrength, tell, record, notFinished } = states;
  const choose = (name: string, ways: Ways, otherwise: sfn.IChainable) =>
    byStatus<FailoverStatus>(scope, name, { ...ways, lost }, otherwise);
  promote.next(choose('Is promotion under way?', { promoting: scale }, notOpen));
  scale.next(lookAtPrimary);
  waitForPrimary.next(lookAtPrimary);
  lookAtPrimary.next(choose('Up, or still being promoted?', { promoted: note, waiting: waitForPrimary }, notOpen));
  note.next(choose('Is it noted?', { noted: open }, notOpen));
  open.next(choose('Is it open?', { open: confirm }, notOpen));
  confirm.next(choose('Is it confirmed?', { confirmed: move }, notOpen));
  waitForStrength.next(lookAtStrength);
  move.next(choose('Has the traffic moved?', { moved: lookAtStrength }, notFinished));
  lookAtStrength.next(choose('At strength, or still starting?', { 'at-strength': tell, waiting: waitForStrength }, notFinished));
  tell.next(record);
  record.next(
    new sfn.Choice(scope, 'Told and recorded?')
      .when(sfn.Condition.and(sfn.Condition.stringEquals('$.status', 'done'), noFailure), complete)
      .otherwise(notRecorded),
  );
}

/** Before the point of no return everything leads back; beyond it nothing does. */
function whereItCannotGoOn(scope: Construct, states: FailoverStates, ends: FailoverEnds): void {
  const { assess, claim, fence, measure, commit, giveBack, notGivenBack } = states;
  for (const state of [assess, claim, fence, measure, commit]) state.addCatch(giveBack, failure);
  const givenBack = { 'rolled-back': ends.rolledBack, committed: ends.startAgain };
  giveBack.next(byStatus<FailoverStatus>(scope, 'Given back?', givenBack, ends.lost));
  giveBack.addCatch(notGivenBack, failure);

  const { promote, scale, lookAtPrimary, note, open, confirm, notOpen, move, lookAtStrength, notFinished, tell, record } = states;
  for (const state of [promote, scale, lookAtPrimary, note, open, confirm]) state.addCatch(notOpen, failure);
  for (const state of [move, lookAtStrength]) state.addCatch(notFinished, failure);
  tell.addCatch(record, failure); // who could not be told is no reason to write nothing down
  record.addCatch(ends.notRecorded, failure);
  for (const state of [notOpen, notFinished, notGivenBack]) {
    state.addCatch(ends.waiting, failure);
    state.next(ends.waiting);
  }
}
