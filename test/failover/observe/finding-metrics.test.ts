import { beforeEach, expect, test } from 'vitest';
import type { Region } from '../../../functions/common/ids.ts';
import { regionProbeAddresses } from '../../../functions/common/names.ts';
import { observeRegions } from '../../../functions/failover/observe/observe.ts';
import { databaseIds, led, primary, standby, tertiary } from '../support.ts';
import { type FailoverWorld, failoverWorld } from '../world.ts';

const [hms] = databaseIds;
if (hms === undefined) throw new Error('the fixture has a database');

let world: FailoverWorld;
beforeEach(async () => {
  world = failoverWorld();
  await world.ports.coordination.create(led({ version: 0 }));
  for (const region of [primary, standby, tertiary]) world.begin(observeRegions, region);
});
const latest = (name: string, dimensions: Readonly<Record<string, string>>) => world.ports.metrics.latest(name, dimensions);
const service = (name: string, region: Region = primary) => latest('ServiceDown', { Region: region, Service: name });
const database = (region: Region = primary) => latest('DatabaseDown', { Region: region, Database: hms });

test('all is well: every service and database is told of as up, by the Region that leads and about no other', async () => {
  await world.until(20);
  expect([service('orders'), service('imaging'), database()]).toEqual([0, 0, 0]);
  expect([service('orders', standby), database(standby)]).toEqual([undefined, undefined]);
});

test('a service and a database that stop answering are down once the observer has made up its mind, and up again', async () => {
  await world.until(20);
  world.ports.probes.answer('https://orders.us-east-1', { ok: false, says: '503' });
  world.ports.fences.server(hms, primary).set({ reachable: false });
  await world.until(26);
  expect([service('orders'), database()]).toEqual([0, 0]); // one failed look is no trouble yet
  await world.until(40);
  expect([service('orders'), service('patients'), database()]).toEqual([1, 0, 1]);
  world.ports.probes.answer('https://orders.us-east-1', { ok: true, says: '200' });
  world.ports.fences.server(hms, primary).set({ reachable: true });
  await world.until(80);
  expect([service('orders'), database()]).toEqual([0, 0]);
});

test('what was never seen well is neither up nor down', async () => {
  world = failoverWorld();
  await world.ports.coordination.create(led({ version: 0 }));
  world.ports.probes.answer('https://orders.us-east-1', { ok: false, says: '404' });
  world.begin(observeRegions, primary);
  await world.until(60);
  expect([service('orders'), service('patients')]).toEqual([undefined, 0]);
});

test('no Region tells of itself', async () => {
  world = failoverWorld();
  await world.ports.coordination.create(led({ version: 0 }));
  world.begin(observeRegions, primary);
  await world.until(60);
  expect(world.ports.metrics.latest('Votes', { Region: primary })).toBe(1);
  expect(latest('RegionDown', { Region: primary })).toBeUndefined();
});

test('a lost Region is told of by the others', async () => {
  await world.until(20);
  expect(latest('RegionDown', { Region: primary })).toBe(0);
  for (const address of regionProbeAddresses(primary)) world.ports.probes.answer(address, { ok: false, says: 'timeout after 2 s' });
  await world.until(40);
  expect(latest('RegionDown', { Region: primary })).toBe(1);
});
