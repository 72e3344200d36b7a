import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  DescribeInstanceRefreshesCommand,
  SetDesiredCapacityCommand,
  StartInstanceRefreshCommand,
} from '@aws-sdk/client-auto-scaling';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { InvalidInput, NotFound } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import type { Capacity, CapacityTarget } from '../failover/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, errorNameOf } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const ecsIn = perRegion((region) => new ECSClient(clientOptions(region)));
const groupsIn = perRegion((region) => new AutoScalingClient(clientOptions(region)));

type Strength = Awaited<ReturnType<Capacity['describe']>>;

/** A kind of thing that runs at some strength. */
interface Scalable {
  describe(region: Region, name: string): Promise<Strength>;
  /** @throws InvalidInput when the thing's own limits forbid that count */
  set(region: Region, name: string, count: number): Promise<void>;
  /** When the last replacement of everything that runs was begun. */
  restartedAt(region: Region, name: string): Promise<Date | undefined>;
  restart(region: Region, name: string): Promise<void>;
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
    async restart(target, since) {
      const { kind, id } = resolve(target);
      const last = await calling(`look for the last restart of ${id}`, () => kind.restartedAt(target.region, id));
      if (last && last.getTime() >= since.getTime()) return;
      await calling(`restart ${id}`, () => kind.restart(target.region, id));
    },
  };
}

/** Named `cluster/service`. */
const ecsServices: Scalable = {
  async describe(region, name) {
    const { desiredCount = 0, runningCount = 0 } = await findService(region, name);
    return { wanted: desiredCount, running: runningCount };
  },
  async set(region, name, desiredCount) {
    const [cluster, service] = namesOf(name);
    await ecsIn(region).send(new UpdateServiceCommand({ cluster, service, desiredCount }));
  },
  /** The deployment that every new task belongs to. */
  async restartedAt(region, name) {
    return (await findService(region, name)).deployments?.find(({ status }) => status === 'PRIMARY')?.createdAt;
  },
  async restart(region, name) {
    const [cluster, service] = namesOf(name);
    await ecsIn(region).send(new UpdateServiceCommand({ cluster, service, forceNewDeployment: true }));
  },
};

async function findService(region: Region, name: string) {
  const [cluster, service] = namesOf(name);
  const { services = [] } = await ecsIn(region).send(new DescribeServicesCommand({ cluster, services: [service] }));
  const found = services.find((each) => each.status === 'ACTIVE');
  if (!found) throw new NotFound(`there is no ECS service ${name} in ${region}`);
  return found;
}

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
  /** Newest first ("DescribeInstanceRefreshes", Amazon EC2 Auto Scaling API Reference). */
  async restartedAt(region, name) {
    const last = new DescribeInstanceRefreshesCommand({ AutoScalingGroupName: name, MaxRecords: 1 });
    return (await groupsIn(region).send(last)).InstanceRefreshes?.[0]?.StartTime;
  },
  async restart(region, name) {
    // Nine tenths of the group, which is the service's own default, go on serving; a group of one starts its new instance first.
    const preferences = { MinHealthyPercentage: 90, MaxHealthyPercentage: 110, SkipMatching: false };
    try {
      await groupsIn(region).send(new StartInstanceRefreshCommand({ AutoScalingGroupName: name, Preferences: preferences }));
    } catch (error) {
      // Somebody else began it: everything is being replaced, which is what was asked for.
      if (!/^InstanceRefreshInProgress(Fault)?$/.test(errorNameOf(error))) throw error;
    }
  },
};

async function findGroup(region: Region, name: string) {
  const { AutoScalingGroups = [] } = await groupsIn(region).send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
  const [group] = AutoScalingGroups;
  if (!group) throw new NotFound(`there is no Auto Scaling group ${name} in ${region}`);
  return group;
}
