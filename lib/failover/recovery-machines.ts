import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { recoverDatabase } from './recover-database-machine.ts';

/**
 * Besides the restore, the steps that wait give up by themselves: 6 h for the backup of the damaged database, 20 min for the log, 2 h for the copy to be fit, 8 h for the
 * exchange, 84 h for the replica. Each look is ten events of the 25 000 that Step Functions keeps of an execution: some 22 000 at most with a restore of 4 h.
 */
const everythingElse = Duration.hours(108);

/** The machine that puts a damaged database back. Deployed in every Region that can lead: it runs where the damage is. */
export class RecoveryMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Recovery');
    const limit = Duration.seconds(scope.operations.verification.restoreLimit).plus(everythingElse);
    new OperationsMachine(this, { scope, keys, workers, limit, name: 'recover-database', definition: recoverDatabase });
  }
}
