import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Operations } from '../../functions/common/operations.ts';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { failover } from './failover-machine.ts';

/** Three questions can be asked one after the other; that their time fits into the history of an execution is a rule of the config. */
const questions = 3;
/** Besides the answers: promotion (half an hour at most), strength (15 min), and every step with its retries. */
const everythingElse = Duration.hours(4);

const limitOf = ({ failover: { approvals } }: Operations): Duration =>
  everythingElse.plus(Duration.seconds(questions * approvals.expireAfter));

/** Whether this Region can become the active one, in a deployment that moves at all. */
export const hasFailoverMachine = ({ operations, role }: RegionScope): boolean => operations.failover.mode !== 'off' && role !== 'tertiary';

/** The machine that makes this Region the active one. Deployed in every Region that can become active. */
export class FailoverMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Failover');
    const limit = limitOf(scope.operations);
    new OperationsMachine(this, { scope, keys, workers, limit, name: 'failover', definition: failover });
  }
}
