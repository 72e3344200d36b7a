import type { Region } from '../functions/common/ids.ts';
import type { DatabaseServer } from './database-server.ts';
import { candidates } from './operations.ts';
import type { Fault } from './scenario.ts';
import { toMicros } from './virtual-time.ts';
import type { World } from './world.ts';

/** How long a database takes to be there again: recovery of its log. */
const restartTakes = { from: 2, to: 12 };
/** A replica connects again so long after it could. */
const reconnectTakes = { from: 0.5, to: 6 };

/** Regions whose guardian or observer does not run; the schedules ask. */
export class Silenced {
  readonly #counts = new Map<string, number>();

  isSilent(task: string, region: Region): boolean {
    return (this.#counts.get(`${task} ${region}`) ?? 0) > 0;
  }

  change(task: string, region: Region, by: 1 | -1): void {
    const name = `${task} ${region}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }
}

/** Makes each fault of the scenario happen and end at its time. */
export function scheduleFaults(world: World, silenced: Silenced): void {
  for (const fault of world.scenario.faults) {
    world.time.at(fault.at, () => {
      world.trace('fault', `${describe(fault)} begins`);
      begin(world, silenced, fault);
      connectReplicas(world);
    });
    if (fault.until !== undefined) {
      world.time.at(fault.until, () => {
        world.trace('fault', `${describe(fault)} ends`);
        end(world, silenced, fault);
        connectReplicas(world);
      });
    }
  }
}

const describe = ({ at: _, until: __, kind, ...rest }: Fault): string => `${kind} ${Object.values(rest).flat().join(' ')}`;

function begin(world: World, silenced: Silenced, fault: Fault): void {
  const { network, surroundings } = world;
  switch (fault.kind) {
    case 'region-lost':
      for (const server of world.servers) if (server.region === fault.region) server.stop();
      network.setUp(fault.region, false);
      for (const process of [...world.processes]) if (process.region === fault.region) process.die();
      break;
    case 'cut':
      for (const server of world.servers) server.catchUp();
      network.setCut(...fault.between, true);
      break;
    case 'database-stopped':
      for (const server of world.servers) if (isMeant(world, server, fault)) server.stop();
      break;
    case 'services-sick':
      surroundings.sickServices.add(fault.region);
      break;
    case 'guardian-dead':
      silence(world, silenced, 'guard-lease', fault.region);
      break;
    case 'observer-dead':
      silence(world, silenced, 'observe-regions', fault.region);
      break;
    case 'observer-flaps':
      surroundings.flapping.set(fault.region, fault.probability);
      break;
    case 'replica-slow':
      for (const server of world.servers) if (server.region === fault.region) server.setLag(fault.lag);
      break;
    case 'fence-incomplete':
      for (const server of world.servers) if (server.region === fault.region) server.unfenced = ['app.public.new_table'];
      break;
  }
}

function isMeant({ operations }: World, server: DatabaseServer, { region, which }: Extract<Fault, { kind: 'database-stopped' }>): boolean {
  const second = operations.databases[1] ?? operations.databases[0];
  return server.region === region && (which === 'all' || server.databaseId === second?.id);
}

function silence(world: World, silenced: Silenced, task: string, region: Region): void {
  silenced.change(task, region, 1);
  for (const process of [...world.processes]) if (process.name === `${task} ${region}`) process.die();
}

function end(world: World, silenced: Silenced, fault: Fault): void {
  const { network, surroundings, scenario } = world;
  switch (fault.kind) {
    case 'region-lost':
      network.setUp(fault.region, true);
      restart(world, fault.region);
      break;
    case 'cut':
      network.setCut(...fault.between, false);
      break;
    case 'database-stopped':
      restart(world, fault.region);
      break;
    case 'services-sick':
      surroundings.sickServices.delete(fault.region);
      break;
    case 'guardian-dead':
      silenced.change('guard-lease', fault.region, -1);
      break;
    case 'observer-dead':
      silenced.change('observe-regions', fault.region, -1);
      break;
    case 'observer-flaps':
      surroundings.flapping.delete(fault.region);
      break;
    case 'replica-slow':
      for (const server of world.servers) if (server.region === fault.region) server.setLag(scenario.replicationLag);
      break;
    case 'fence-incomplete':
      for (const server of world.servers) if (server.region === fault.region) server.unfenced = [];
      break;
  }
}

function restart(world: World, region: Region): void {
  const random = world.random.fork(`restart ${region} ${world.time.now}`);
  for (const server of world.servers) {
    if (server.region !== region || server.running) continue;
    world.time.after(toMicros(random.between(restartTakes.from, restartTakes.to)), () => {
      if (server.running || !world.network.isUp(region)) return;
      server.start();
      world.trace(region, `the database of ${server.databaseId} is there again`);
      connectReplicas(world);
    });
  }
}

/** Replicas stream while both ends run and reach each other; a stream that was broken is there again some seconds later. */
function connectReplicas(world: World): void {
  const random = world.random.fork(`reconnect ${world.time.now}`);
  for (const server of world.servers) {
    const { source } = server;
    if (!source || server.promotingSince !== undefined) continue;
    const isPossible = source.running && server.running && source.role === 'primary' && world.network.reaches(source.region, server.region);
    if (isPossible === server.streams) continue;
    const since = world.time.now + toMicros(random.between(reconnectTakes.from, reconnectTakes.to));
    server.setStream(isPossible ? Math.max(since, server.availableFrom) : undefined);
  }
}

/** People make the Region that does not lead a replica of the one that does. What stood there stays, under another name. */
export function rebuildReplica(world: World, takes: number): void {
  const { record } = world.table;
  if (record?.phase !== 'active') return;
  for (const { id } of world.operations.databases) {
    const source = world.server(id, record.holder);
    const region = candidates.find((each) => each !== record.holder);
    if (!region || source?.role !== 'primary' || !source.isUp || world.server(id, region)?.source === source) continue;
    if (!world.network.reaches(source.region, region)) continue;
    world.addReplica(id, region, source, world.time.now + takes);
    world.trace('people', `${id} in ${region} is made a replica of ${record.holder}`);
  }
}
