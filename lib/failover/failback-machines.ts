import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { failback } from './failback-machine.ts';

/**
 * The steps that wait give up by themselves: 12 h for the Region, 12 h for its backup, 24 h for the replica, 8 h for the hand-over; the rest is for listing and proving. Its
 * looks make at most some 20 000 of the 25 000 events that Step Functions keeps of an execution.
 */
const limit = Duration.hours(80);

/** The machine that brings the other Region back. Deployed in every Region that can lead: it runs where the lead is. */
export class FailbackMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Failback');
    new OperationsMachine(this, { scope, keys, workers, limit, name: 'failback', definition: failback });
  }
}
