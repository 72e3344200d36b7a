import { AutoScalingClient, DescribeInstanceRefreshesCommand, StartInstanceRefreshCommand } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { DescribeDBInstancesCommand, DescribeEventsCommand, ModifyDBInstanceCommand, RDSClient } from '@aws-sdk/client-rds';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { alarmStatesPort } from '../../functions/aws/alarm-states.ts';
import { capacityPort } from '../../functions/aws/capacity.ts';
import { databaseStoragePort } from '../../functions/aws/database-storage.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { testOperations } from '../support/operations.ts';

const east = Region.parse('us-east-1');
const hms = DatabaseId.parse('hms');
const began = new Date('2026-11-21T12:00:00Z');
const later = new Date('2026-11-21T12:00:05Z');
const earlier = new Date('2026-11-21T11:00:00Z');

describe('a restart', () => {
  const ecs = mockClient(ECSClient);
  const groups = mockClient(AutoScalingClient);
  beforeEach(() => {
    ecs.reset();
    groups.reset();
  });
  const orders = { name: 'orders-api', region: east };
  const runs = (createdAt: Date) =>
    ecs.on(DescribeServicesCommand).resolves({
      services: [{ status: 'ACTIVE', desiredCount: 4, runningCount: 4, deployments: [{ status: 'PRIMARY', createdAt }] }],
    });
  const updates = () => ecs.commandCalls(UpdateServiceCommand).map(({ args }) => args[0].input);

  it('of an ECS service is a new deployment of what it runs, begun once', async () => {
    const capacity = capacityPort({ operations: testOperations() });
    runs(earlier);
    await capacity.restart(orders, began);
    expect(updates()).toEqual([{ cluster: 'hms', service: 'orders-api', forceNewDeployment: true }]);
    runs(later);
    await capacity.restart(orders, began);
    expect(updates()).toHaveLength(1);
  });

  it('of a group is an instance refresh, and one that is under way will do', async () => {
    const { failover } = testOperations();
    const workers = { name: 'workers', kind: 'auto-scaling-group' as const, sites: { [east]: 'workers' }, active: 4, standby: 2 };
    const capacity = capacityPort({ operations: testOperations({ failover: { ...failover, capacity: [workers] } }) });
    groups.on(DescribeInstanceRefreshesCommand).resolves({ InstanceRefreshes: [{ StartTime: earlier }] });
    const underWay = Object.assign(new Error('said AWS'), { name: 'InstanceRefreshInProgress' });
    groups.on(StartInstanceRefreshCommand).resolvesOnce({}).rejectsOnce(underWay);
    await capacity.restart({ name: 'workers', region: east }, began);
    await capacity.restart({ name: 'workers', region: east }, began);
    groups.on(DescribeInstanceRefreshesCommand).resolves({ InstanceRefreshes: [{ StartTime: later }] });
    await capacity.restart({ name: 'workers', region: east }, began);
    expect(groups.commandCalls(StartInstanceRefreshCommand).map(({ args }) => args[0].input.AutoScalingGroupName)).toEqual([
      'workers',
      'workers',
    ]);
  });
});

describe('storage', () => {
  const rds = mockClient(RDSClient);
  const storage = databaseStoragePort({ operations: testOperations() });
  beforeEach(() => rds.reset());
  const instance = (facts: object) =>
    rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ DBInstanceStatus: 'available', ...facts }] });

  it('shows who changed it last by the events of six hours, on every page', async () => {
    instance({ AllocatedStorage: 100, MaxAllocatedStorage: 400 });
    rds
      .on(DescribeEventsCommand)
      .resolvesOnce({ Events: [{ Message: 'Applying modification to allocated storage', Date: earlier }], Marker: 'more' })
      .resolvesOnce({
        Events: [
          { Message: 'Finished applying modification to allocated storage', Date: began },
          { Message: 'Backup', Date: later },
        ],
      });
    const shown = { isAllocated: true, gigabytes: 100, mostGigabytes: 400, status: 'available', changedAt: began };
    expect(await storage.describe(hms, east)).toEqual(shown);
    expect(rds.commandCalls(DescribeEventsCommand)[0]?.args[0].input).toMatchObject({ Duration: 360, SourceIdentifier: 'hms-primary' });
  });

  it('is enlarged once, at once', async () => {
    instance({ AllocatedStorage: 100 });
    await storage.enlarge(hms, east, 120);
    const enlarged = { DBInstanceIdentifier: 'hms-primary', AllocatedStorage: 120, ApplyImmediately: true };
    expect(rds.commandCalls(ModifyDBInstanceCommand).map(({ args }) => args[0].input)).toEqual([enlarged]);
    instance({ AllocatedStorage: 100, PendingModifiedValues: { AllocatedStorage: 120 } });
    await storage.enlarge(hms, east, 120);
    expect(rds.commandCalls(ModifyDBInstanceCommand)).toHaveLength(1);
  });

  it('of Aurora has no size', async () => {
    expect(await storage.describe(DatabaseId.parse('billing'), east)).toMatchObject({ isAllocated: false });
    expect(rds.calls()).toEqual([]);
  });
});

it('the state of an alarm is that of a metric or of a composite, and of none where there is none', async () => {
  const cloudWatch = mockClient(CloudWatchClient);
  const states = alarmStatesPort();
  const shows = async (found: object) => {
    cloudWatch.on(DescribeAlarmsCommand).resolves(found);
    return states.state(east, 'hms-codeblue-s2-ServiceDown-orders');
  };
  expect(
    await shows({ MetricAlarms: [{ StateValue: 'ALARM', StateTransitionedTimestamp: earlier, StateUpdatedTimestamp: began }] }),
  ).toEqual({
    state: 'alarm',
    since: earlier.toISOString(),
  });
  expect(await shows({ CompositeAlarms: [{ StateValue: 'OK', StateUpdatedTimestamp: began }] })).toMatchObject({ state: 'ok' });
  expect(await shows({})).toBeUndefined();
  expect(cloudWatch.commandCalls(DescribeAlarmsCommand)[0]?.args[0].input.AlarmTypes).toEqual(['MetricAlarm', 'CompositeAlarm']);
});
