import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Operations } from '../../functions/common/operations.ts';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import { judges, type RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { verifyRecoveryPoint } from './verify-recovery-point-machine.ts';
import { verifyStateBackup } from './verify-state-backup-machine.ts';

/**
 * Besides the restore itself: every other step at its longest with its retries. Steps that poll give up by themselves
 * long before, so that their machine tears down; a machine that reaches its own limit tears nothing down.
 */
const everythingElse = Duration.hours(6);
/** `await-state-restore` gives up after 4 h, `compare-state` after 6 more, `remove-state-restore` half an hour later. */
const stateBackupLimit = Duration.hours(12);

const recoveryPointLimit = (operations: Operations): Duration =>
  Duration.seconds(operations.verification.restoreLimit).plus(everythingElse);

/** The machines that prove backups: of databases where they are judged, of Codeblue's own tables in every Region. */
export class VerificationMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Machines');
    if (judges(scope)) {
      new OperationsMachine(this, {
        scope,
        keys,
        workers,
        name: 'verify-recovery-point',
        limit: recoveryPointLimit(scope.operations),
        definition: verifyRecoveryPoint,
      });
    }
    new OperationsMachine(this, {
      scope,
      keys,
      workers,
      name: 'verify-state-backup',
      limit: stateBackupLimit,
      definition: verifyStateBackup,
    });
  }
}
