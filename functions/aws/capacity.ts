import { AutoScalingClient, DescribeAutoScalingGroupsCommand, SetDesiredCapacityCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { InvalidInput, NotFound } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import type { Capacity, CapacityTarget } from '../failover/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const ecsIn = perRegion((region) => new ECSClient(clientOptions(region)));
const groupsIn = perRegion((region) => new AutoScalingClient(clientOptions(region)));

type Strength = Awaited<ReturnType<Capacity['describe']>>;

/** A kind of thing that runs at some strength. */
interface Scalable {
  describe(region: Region, name: string): Promise<Strength>;
  /** @throws InvalidInput when the thing's own limits forbid that count */
  set(region: Region, name: string, count: number): Promise<void>;
}

/** ECS services and Auto Scaling groups, under the names that the config gives them in each Region. */
export function capacityPort({ operations }: Pick<AwsSettings, 'operations'>): Capacity {
  const kinds: Readonly<Record<'ecs-service' | 'auto-scaling-group', Scalable>> = {
    'ecs-service': ecsServices,
    'auto-scaling-group': autoScalingGroups,
  };
  function resolve({ name, region }: CapacityTarget): { readonly kind: Scalable; readonly id: string } {
    const item = operations.failover.capacity.find((each) => each.name === name);
    const id = item?.sites[region];
    if (!item || !id) throw new NotFound(`the config has no capacity ${name} in ${region}`);
    return { kind: kinds[item.kind], id };
  }
  return {
    async scale(target, count, rule) {
      const { kind, id } = resolve(target);
      const { wanted } = await calling(`describe ${id}`, () => kind.describe(target.region, id));
      if (wanted === count || (rule === 'at-least' && wanted > count)) return;
      await calling(`scale ${id} to ${count}`, () => kind.set(target.region, id, count));
    },
    async describe(target) {
      const { kind, id } = resolve(target);
      return calling(`describe ${id}`, () => kind.describe(target.region, id));
    },
  };
}

/** Named `cluster/service`. */
const ecsServices: Scalable = {
  async describe(region, name) {
    const [cluster, service] = namesOf(name);
    const { services = [] } = await ecsIn(region).send(new DescribeServicesCommand({ cluster, services: [service] }));
    const found = services.find((each) => each.status === 'ACTIVE');
    if (!found) throw new NotFound(`there is no ECS service ${name} in ${region}`);
    return { wanted: found.desiredCount ?? 0, running: found.runningCount ?? 0 };
  },
  async set(region, name, desiredCount) {
    const [cluster, service] = namesOf(name);
    await ecsIn(region).send(new UpdateServiceCommand({ cluster, service, desiredCount }));
  },
};

function namesOf(name: string): readonly [string, string] {
  const [cluster, service] = name.split('/');
  if (!cluster || !service) throw new InvalidInput(`"${name}" does not name an ECS service`, { hint: 'Write it as cluster/service.' });
  return [cluster, service];
}

const autoScalingGroups: Scalable = {
  async describe(region, name) {
    const group = await findGroup(region, name);
    const inService = (group.Instances ?? []).filter((each) => each.LifecycleState === 'InService' && each.HealthStatus === 'Healthy');
    return { wanted: group.DesiredCapacity ?? 0, running: inService.length };
  },
  async set(region, name, count) {
    const { MinSize = 0, MaxSize = 0 } = await findGroup(region, name);
    if (count > MaxSize || count < MinSize) {
      throw new InvalidInput(`the group ${name} in ${region} allows ${MinSize} to ${MaxSize} instances, ${count} are asked for`, {
        hint: 'Widen the limits of the group: Codeblue changes what is wanted, not what is allowed.',
      });
    }
    const wanted = { AutoScalingGroupName: name, DesiredCapacity: count, HonorCooldown: false };
    await groupsIn(region).send(new SetDesiredCapacityCommand(wanted));
  },
};

async function findGroup(region: Region, name: string) {
  const { AutoScalingGroups = [] } = await groupsIn(region).send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
  const [group] = AutoScalingGroups;
  if (!group) throw new NotFound(`there is no Auto Scaling group ${name} in ${region}`);
  return group;
}
