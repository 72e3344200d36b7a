import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { runRunbook } from './runbook-machine.ts';

/** A day for an answer and six hours for the effect, at most (config/runbook-rules.ts), and steps that are tried again. The looks of both make some 22 000 of an execution's 25 000 events. */
const limit = Duration.hours(36);

/** The machine that runs automated runbooks. Deployed in every Region that can lead, where the config has such runbooks. */
export class RunbookMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Runbooks');
    new OperationsMachine(this, { scope, keys, workers, limit, name: 'run-runbook', definition: runRunbook });
  }
}
