import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { pause } from '../machines/machine-states.ts';
import { machineStep, type Retries, type StepFunctions } from '../machines/machine-step.ts';
import { afterwards, brief, onward, untilTold } from './failover-retries.ts';

/** What the machine does, in the order in which it does it. Names are what an operator reads at 3 a.m. */
export function failoverStates(scope: Construct, steps: StepFunctions) {
  const step = (name: string, does: string, retries: Retries) => machineStep(scope, name, { steps, does, retries });
  const wait = (name: string, seconds: number) => pause(scope, name, Duration.seconds(seconds));
  return {
    // Up to here the lease can be given back ...
    assess: step('Assess whether to move', 'assess-failover', brief),
    claim: step('Claim the next epoch', 'claim-epoch', brief),
    fence: step('Can the old primary still write?', 'await-fence', brief),
    measure: step('Measure what would be lost', 'measure-loss', brief),
    waitForMark: wait('Wait for the closing mark of the old primary', 1),
    commit: step('POINT OF NO RETURN: commit to the new primary', 'commit-promotion', untilTold),
    // ... and from here on only forward.
    promote: step('Promote the replica', 'promote-replica', onward),
    scale: step('Scale the new Region up', 'scale-up', onward),
    waitForPrimary: wait('Wait for the new primary', 2),
    lookAtPrimary: step('Is the new primary up?', 'await-promotion', onward),
    note: step('Note where the new history begins', 'note-beginning', onward),
    open: step('Open the new primary for writes', 'open-primary', onward),
    confirm: step('Confirm with canary writes', 'confirm-writes', onward),
    move: step('Move the traffic', 'move-traffic', afterwards),
    waitForStrength: wait('Wait for the services of the new Region', 10),
    lookAtStrength: step('Is the new Region at strength?', 'await-strength', afterwards),
    tell: step('Tell people', 'tell-people', afterwards),
    record: step('Record what happened', 'record-failover', afterwards),
    // Where it cannot go on.
    giveBack: step('Give the lease back', 'give-lease-back', onward),
    notOpen: step('Call a human: the new primary is not open', 'call-human', afterwards),
    notFinished: step('Call a human: the new primary is open, the rest is not done', 'call-human', afterwards),
    notGivenBack: step('Call a human: the lease could not be given back', 'call-human', afterwards),
  };
}
export type FailoverStates = ReturnType<typeof failoverStates>;

/** A question to people: three states, each a sentence, and the choice by the answer. */
export interface Question {
  readonly ask: string;
  readonly wait: string;
  readonly look: string;
  readonly judged: string;
}

export const questions = {
  mayItStart: {
    ask: 'Ask a human to start',
    wait: 'Wait for the answer to start',
    look: 'Has a human answered?',
    judged: 'May it start?',
  },
  isItOff: {
    ask: 'Ask a human whether the old primary is off',
    wait: 'Wait for the answer whether it is off',
    look: 'Has a human said that it is off?',
    judged: 'Is it off?',
  },
  isItAcceptable: {
    ask: 'Ask a human to accept the loss',
    wait: 'Wait for the answer about the loss',
    look: 'Has a human accepted the loss?',
    judged: 'Is the loss accepted?',
  },
} as const satisfies Record<string, Question>;

/** The states of one question. */
export function questionStates(scope: Construct, steps: StepFunctions, { ask, wait, look }: Question) {
  return {
    asked: machineStep(scope, ask, { steps, does: 'ask-human', retries: brief }),
    waitForAnswer: pause(scope, wait, Duration.seconds(5)),
    look: machineStep(scope, look, { steps, does: 'await-answer', retries: brief }),
  };
}
