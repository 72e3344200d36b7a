import { describe, expect, it } from 'vitest';
import { FailbackRequest } from '../../functions/failover/failback/models.ts';
import { FailoverPlan } from '../../functions/failover/models.ts';
import { requestRecovery } from '../../functions/failover/recovery/request-recovery.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import { failoverDefinition, hms, leads, writableIn } from '../support/failover-run.ts';
import { east, type FailoverWorld, failoverWorld, west } from '../support/failover-world.ts';
import { type Around, deployedMachine, runMachine, unpairedActs } from '../support/machine-run.ts';

const recovery = deployedMachine('recover-database');
const failback = deployedMachine('failback');
const passing = ['identity', 'window', 'schema', 'foreign-keys', 'indexes', 'constraints', 'sequences'].map((id) => ({
  ...{ id, says: id, result: 'passed' as const, findings: [] },
}));

/** All three machines as they are deployed, in the Region that leads; people answer as told. Only what reads whole databases is said instead of done. */
async function story(answer: 'approved' | 'rejected') {
  const base = await failoverWorld();
  const world: FailoverWorld = { ...base, step: (name, record) => base.step(name, record, east) };
  const { executions, coordination } = world.ports;
  const { describe: asStarted } = executions;
  const ended = new Map<string, 'succeeded' | 'failed'>();
  executions.describe = async (ref) => {
    const status = ended.get(`${ref.machine}/${ref.name}`);
    return status ? { status } : asStarted(ref);
  };
  const runs = {
    failover: (input: { readonly plan?: unknown }) =>
      runMachine(
        failoverDefinition,
        world,
        { plan: FailoverPlan.parse(input.plan) },
        {
          async before(step) {
            if (step === 'await-answer' && (await coordination.requests()).length > 0) await world.answer('bob', answer);
          },
        },
      ),
    failback: (input: { readonly request?: unknown }) =>
      runMachine(
        failback,
        world,
        { request: FailbackRequest.parse(input.request) },
        {
          instead: { 'prove-replica': (record) => ({ ...record, status: 'proven' }) },
        },
      ),
  };
  async function finishWhatRuns(): Promise<void> {
    for (const { machine, name, input } of executions.started) {
      const key = `${machine}/${name}`;
      if (ended.has(key) || (machine !== 'failover' && machine !== 'failback')) continue;
      const { succeeded, end } = await runs[machine](input as object);
      ended.set(key, succeeded ? 'succeeded' : 'failed');
      ends.push(end);
      if (machine === 'failover') writable.push(...writableIn(world, east));
    }
  }
  const ends: string[] = [];
  const writable: boolean[] = [];
  const damaged = () => world.server(hms, east).facts().position.canary?.seq;
  // What the copy has, and then writes that it has not.
  world.clock.advance(3600);
  const around: Around = {
    instead: {
      'compare-content': (given) => {
        const record = VerificationRecord.parse(given);
        return { ...record, checks: [...record.checks, ...passing] };
      },
    },
    async onState(state) {
      if (/^Wait for the (exchange|replica)/.test(state)) await finishWhatRuns();
    },
  };
  const record = await coordination.read();
  const until = new Date(world.clock.now().getTime() - 1800_000);
  const untilMicros = (world.clock.now().getTime() + 20_000) * 1000;
  for (const id of world.databases) world.server(id, east).set({ lease: { ...world.server(id, east).facts().lease, untilMicros } });
  for (let write = 0; write < 50; write++) for (const id of world.databases) world.server(id, east).write();
  const before = damaged();
  const requested = requestRecovery({
    ...{ operations: world.operations, record, hold: undefined, databaseId: hms, until },
    ...{ requestedBy: 'alice', reason: 'orders were deleted', now: world.clock.now() },
  });
  if (requested.kind === 'refused') throw new Error(requested.because);
  const result = await runMachine(recovery, world, { request: requested.request }, around);
  return { ...result, world, ends, writable, before };
}

describe('a damaged database, with the machines that are deployed', () => {
  it('is replaced by what it was, once somebody else approved; the standby follows it', async () => {
    const { end, ends, writable, world, before } = await story('approved');
    expect({ ends, end }).toEqual({ ends: ['Failover complete', 'Failed back'], end: 'Recovered' });
    expect(await leads(world)).toBe(`active 8 ${east}`);
    expect(writable).toEqual([true, true]);
    const other = world.databases.find((id) => id !== hms) ?? hms;
    expect(world.server(hms, east).facts().position.canary?.seq).toBeLessThan(before ?? 0); // the later writes are not in it
    expect(world.server(other, east).facts().position.canary?.seq).toBeGreaterThan(before ?? 0); // and the other database lost none
    expect(world.ports.replicas.keptAside(east)).toEqual(['hms-primary-damaged-8']);
    expect(world.server(hms, west).facts()).toMatchObject({ role: 'replica', follows: east, streaming: true });
    expect(await world.ports.databases.listRestored(east)).toEqual([]);
    expect(await world.ports.coordination.hold()).toBeUndefined();
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('stays as it is when they say no', async () => {
    const { end, world, before } = await story('rejected');
    world.clock.advance(600);
    expect({ end, leads: await leads(world) }).toEqual({ end: 'Not recovered: the database is as it was', leads: `active 7 ${east}` });
    expect(world.server(hms, east).facts().position.canary?.seq).toBe(before);
    expect(await world.ports.databases.listRestored(east)).toEqual([]);
    expect(await unpairedActs(world)).toEqual([]);
  });
});
