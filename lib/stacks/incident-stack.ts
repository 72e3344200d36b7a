import { NestedStack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { acknowledgeEndpoint } from '../../functions/incidents/acknowledge/acknowledge-endpoint.ts';
import { runsRunbooks } from '../../functions/incidents/runbooks/targets.ts';
import { consumerLists, endpointLists, type StepLists } from '../../functions/tasks.ts';
import { addressOf, SignalDoors } from '../incidents/doors.ts';
import { EscalationMachines } from '../incidents/escalation-machines.ts';
import { PageTopics } from '../incidents/page-topics.ts';
import { RunbookMachines } from '../incidents/runbook-machines.ts';
import { type RegionGround, RegionWorkers } from './region-workers.ts';

/**
 * What takes a Region's alarms to a person who answers: every Region works its own. Nested, because one stack holds 500 resources at most; it is deployed, updated and
 * removed with its Region's stack. There is none while `incidents.mode` is off.
 */
export class IncidentStack extends NestedStack {
  /** Where the links of this Region's pages lead. */
  readonly acknowledgeUrl: string | undefined;

  constructor(parent: Construct, ground: RegionGround, steps: StepLists) {
    const { scope, keys } = ground;
    super(parent, 'Incidents', {
      description: `Codeblue for ${scope.operations.name}: from an alarm in ${scope.region} to a person who answers`,
    });
    new PageTopics(this, scope, keys);
    const doors = new RegionWorkers(this, ground);
    const addresses = new Map(endpointLists.incidents.map((endpoint) => [endpoint.name, addressOf(endpoint, doors.make(endpoint)).url]));
    this.acknowledgeUrl = addresses.get(acknowledgeEndpoint.name);
    const workers = new RegionWorkers(this, { ...ground, acknowledgeUrl: this.acknowledgeUrl });
    new EscalationMachines(
      this,
      scope,
      keys,
      steps.escalation.map((step) => workers.make(step)),
    );
    if (runsRunbooks(scope.operations, scope.region)) {
      new RunbookMachines(
        this,
        scope,
        keys,
        steps.runbooks.map((step) => workers.make(step)),
      );
    }
    new SignalDoors(
      this,
      scope,
      keys,
      consumerLists.incidents.map((consumer) => ({ consumer, worker: workers.make(consumer) })),
    );
  }
}
