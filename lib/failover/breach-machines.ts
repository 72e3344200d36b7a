import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { containBreach } from './contain-breach-machine.ts';

/**
 * The steps that wait give up by themselves: 4 h for snapshots to begin, 48 h for the logs, 24 h for storage, 120 h for a recovery. Their looks make at most some
 * 16 000 of the 25 000 events of an execution: the logs are exported in runs of eight minutes.
 */
const limit = Duration.hours(210);

/** The machine that contains a breach. Deployed in every Region that can lead: it runs where the lead is. */
export class BreachMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Breach');
    new OperationsMachine(this, { scope, keys, workers, limit, name: 'contain-breach', definition: containBreach });
  }
}
