import { NestedStack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Region } from '../../functions/common/ids.ts';
import { candidateRegions } from '../../functions/failover/leadership/candidates.ts';
import type { StepLists } from '../../functions/tasks.ts';
import { BreachMachines } from '../failover/breach-machines.ts';
import { DrillMachines } from '../failover/drill-machines.ts';
import { FailbackMachines } from '../failover/failback-machines.ts';
import { FailoverMachines } from '../failover/failover-machines.ts';
import { LeaseEndpoint } from '../failover/lease-endpoint.ts';
import { OtherRegionsDenied } from '../failover/other-regions-denied.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import { type RegionGround, RegionWorkers } from './region-workers.ts';

/**
 * The machines that move the lead, in a Region that can have it, with their steps and the endpoint that traffic follows. Nested, because one stack
 * holds 500 resources at most and a function is four of them; it is deployed, updated and removed with its Region's stack.
 */
export class MovingStack extends NestedStack {
  constructor(parent: Construct, ground: RegionGround, steps: StepLists) {
    const { scope, keys } = ground;
    super(parent, 'Moving', {
      description: `Codeblue for ${scope.operations.name}: machines that move the lead to ${scope.region} and back`,
    });
    const workers = new RegionWorkers(this, ground);
    const { policy: denials } = new OtherRegionsDenied(this, scope);
    new FailoverMachines(
      this,
      scope,
      keys,
      steps.failover.map((step) => workers.make(step, { denials, staysHome: true })),
    );
    new FailbackMachines(
      this,
      scope,
      keys,
      steps.failback.map((step) => workers.make(step, { alsoIn: otherCandidates(scope) })),
    );
    new DrillMachines(
      this,
      scope,
      keys,
      steps.drill.map((step) => workers.make(step)),
    );
    new BreachMachines(
      this,
      scope,
      keys,
      steps.breach.map((step) => workers.make(step, { alsoIn: otherCandidates(scope) })),
    );
    new LeaseEndpoint(this, scope, keys, workers.code);
  }
}

/** Failback runs in the Region that leads and works in the one that led before. */
const otherCandidates = ({ operations, region }: RegionScope): readonly Region[] =>
  candidateRegions(operations).filter((candidate) => candidate !== region);
