import { expect } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId } from '../../functions/common/ids.ts';
import type { FailbackRequest } from '../../functions/failover/failback/models.ts';
import { requestFailback } from '../../functions/failover/failback/request-failback.ts';
import { type CoordinationRecord, Epoch, FailoverPlan } from '../../functions/failover/models.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { type Definition, parseDefinition } from '../../simulation/machine/definition.ts';
import { east, failoverWorld, movableOperations, west } from './failover-world.ts';
import { type Around, runMachine } from './machine-run.ts';

const definition: Definition = parseDefinition(
  synthesizedMachines(movableOperations()).find(({ name }) => name === 'failback')?.definition,
);

export const hms = DatabaseId.parse('hms');
const epoch = Epoch.parse(8);
export const broken = () => new ServiceUnavailable('it does not answer');

/** After a failover to the standby Region; the lost one is back, its databases as they were and closed. */
export async function lostAndBack() {
  const world = await failoverWorld();
  const record = await world.ports.coordination.read();
  if (!record) throw new Error('no record');
  await world.ports.coordination.replace({ ...record, holder: west, epoch });
  for (const id of world.databases) {
    const { lease } = world.server(id, east).facts();
    world.server(id, east).set({ lease: { ...lease, epoch, untilMicros: 0, closedFor: epoch } });
    // Aurora makes its old primary a secondary by itself; RDS leaves it as it was.
    if (id !== hms) world.server(id, east).set({ role: 'replica', follows: west, streaming: true });
    const { follows: _, ...replica } = world.server(id, west).facts();
    const untilMicros = (world.clock.now().getTime() + 90 * 86_400_000) * 1000;
    world.server(id, west).set({ ...replica, role: 'primary', streaming: false, lease: { epoch, holder: west, untilMicros } });
    expect(world.server(id, west).write()).toBe(true);
  }
  const { executions } = world.ports;
  const { describe: asStarted } = executions;
  const ended = new Map<string, 'succeeded' | 'failed'>();
  executions.describe = async (ref) => {
    const status = ended.get(ref.name);
    return status ? { status } : asStarted(ref);
  };
  return { ...world, endExecution: (name: string, status: 'succeeded' | 'failed') => void ended.set(name, status) };
}
type World = Awaited<ReturnType<typeof lostAndBack>>;

export async function requestIn(world: World, handOver = true): Promise<FailbackRequest> {
  const { operations, ports, clock } = world;
  const record = await ports.coordination.read();
  const requested = requestFailback({ operations, record, handOver, requestedBy: 'alice', reason: 'it is back', now: clock.now() });
  if (requested.kind === 'refused') throw new Error(requested.because);
  return requested.request;
}

/** What the steps that read whole databases find when all is well. */
const read: Around['instead'] = {
  'list-lost-writes': (record) => ({ ...record, status: 'listed', lostRows: 3 }),
  'prove-replica': (record) => ({ ...record, status: 'proven' }),
};

export const run = (world: World, request: FailbackRequest, around: Around = {}) =>
  runMachine(definition, world, { request }, { ...around, instead: { ...read, ...around.instead } });

/** The machine `failover` does what it was started for, as soon as failback waits for it. */
export const handsOver = (world: World, how: 'done' | 'rolled-back' | 'not-begun' = 'done'): Around => ({
  async onState(state) {
    const [started] = world.ports.executions.started;
    if (state !== 'Wait for the hand-over' || !started) return;
    await endHandOver(world, how);
  },
});

async function endHandOver({ ports, endExecution }: World, how: 'done' | 'rolled-back' | 'not-begun'): Promise<void> {
  const started = ports.executions.started.at(-1);
  const record = await ports.coordination.read();
  if (!started || !record) throw new Error('nothing was started');
  const { plan } = started.input as { readonly plan: unknown };
  const { to, from, epoch: next } = FailoverPlan.parse(plan);
  endExecution(started.name, how === 'done' ? 'succeeded' : 'failed');
  const moved: Partial<CoordinationRecord> = how === 'done' ? { epoch: next, holder: to } : { epoch: Epoch.parse(next + 1), holder: from };
  if (how !== 'not-begun' && record.epoch === epoch) await ports.coordination.replace({ ...record, ...moved });
}

export const leads = async ({ ports }: World) => {
  const record = await ports.coordination.read();
  return `${record?.phase} ${record?.epoch} ${record?.holder}`;
};
export const stillLeads = `active 8 ${west}`;
export const reportOf = async ({ ports }: World, request: FailbackRequest) => {
  const keys = await ports.reports.list(west, `failbacks/000008/${request.failbackId}`);
  const key = keys.find((each) => each.endsWith('.json')) ?? '';
  const bytes = await ports.reports.get(west, key);
  return bytes && JSON.parse(Buffer.from(bytes).toString());
};

export async function unpairedActs({ ports }: World): Promise<readonly string[]> {
  const acts = new Map<string, string[]>();
  for (const { actId, phase } of await ports.auditLog.recent(new Date(0), 10_000)) acts.set(actId, [...(acts.get(actId) ?? []), phase]);
  return [...acts].filter(([, phases]) => [...phases].sort().join() !== 'intent,outcome').map(([id]) => id);
}
