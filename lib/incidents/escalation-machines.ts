import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { OperationsMachine } from '../machines/operations-machine.ts';
import type { OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';
import { escalateIncident } from './escalation-machine.ts';

/** 1 000 looks with at most an hour between them are 42 days; the rest is for steps that are tried again. */
const limit = Duration.days(60);

/** The machine that chases people. Deployed in every Region: each works its own incidents. */
export class EscalationMachines extends Construct {
  constructor(parent: Construct, scope: RegionScope, keys: RegionalKeys, workers: readonly OperationsFunction[]) {
    super(parent, 'Escalation');
    new OperationsMachine(this, { scope, keys, workers, limit, name: 'escalate-incident', definition: escalateIncident });
  }
}
