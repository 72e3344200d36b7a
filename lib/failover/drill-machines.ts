import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Operations } from '../../functions/common/operations.ts';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { fullTest } from './full-test-machine.ts';
import { rehearsal } from './rehearsal-machine.ts';

/** Besides what the temporary databases may live: every other step at its longest with its retries, so that the machine's own limit cuts no teardown off. */
const everythingElse = Duration.hours(6);

const rehearsalLimit = ({ verification }: Operations): Duration => Duration.seconds(verification.restoreLimit).plus(everythingElse);

/** The steps that wait give up by themselves: 8 h for the move, 84 h for each of two failbacks. Looks each 5 min make some 15 000 of the 25 000 events of an execution. */
const fullTestLimit = Duration.hours(180);

/** The machines that rehearse what they must never have to learn in earnest. Deployed in every Region that can lead. */
export class DrillMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Drills');
    const limit = rehearsalLimit(scope.operations);
    new OperationsMachine(this, { scope, keys, workers, limit, name: 'failover-rehearsal', definition: rehearsal });
    const moves = { scope, keys, workers, limit: fullTestLimit, name: 'failover-full-test', definition: fullTest } as const;
    new OperationsMachine(this, moves);
  }
}
