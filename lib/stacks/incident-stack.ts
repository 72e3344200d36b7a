import { NestedStack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { consumers, endpoints, type StepLists } from '../../functions/tasks.ts';
import { addressOf, SignalDoors } from '../incidents/doors.ts';
import { EscalationMachines } from '../incidents/escalation-machines.ts';
import { type RegionGround, RegionWorkers } from './region-workers.ts';

/**
 * What takes a Region's alarms to a person who answers: every Region works its own. Nested, because one stack holds 500 resources at most; it is deployed, updated and
 * removed with its Region's stack. There is none while `incidents.mode` is off.
 */
export class IncidentStack extends NestedStack {
  constructor(parent: Construct, ground: RegionGround, steps: StepLists) {
    const { scope, keys } = ground;
    super(parent, 'Incidents', {
      description: `Codeblue for ${scope.operations.name}: from an alarm in ${scope.region} to a person who answers`,
    });
    const workers = new RegionWorkers(this, ground);
    new EscalationMachines(
      this,
      scope,
      keys,
      steps.escalation.map((step) => workers.make(step)),
    );
    new SignalDoors(
      this,
      scope,
      keys,
      consumers.map((consumer) => ({ consumer, worker: workers.make(consumer) })),
    );
    for (const endpoint of endpoints) addressOf(endpoint, workers.make(endpoint));
  }
}
