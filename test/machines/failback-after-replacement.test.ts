import { describe, expect, it } from 'vitest';
import { timestamp } from '../../functions/common/ids.ts';
import { requestFailback } from '../../functions/failover/failback/request-failback.ts';
import { Epoch } from '../../functions/failover/models.ts';
import { east, failoverWorld, west } from '../support/failover-world.ts';
import { deployedMachine, runMachine } from '../support/machine-run.ts';

const eight = Epoch.parse(8);
const definition = deployedMachine('failback');

/**
 * In epoch 8 a restored copy took the place of the first database of the Region that leads. The replica of the standby Region stayed with the damaged one, and
 * its canaries are newer than those of the copy.
 */
async function replaced() {
  const world = await failoverWorld({ record: { epoch: eight, primarySince: eight } });
  const [first, second] = world.databases;
  if (!first || !second) throw new Error('two databases are needed');
  world.clock.advance(30);
  world.server(first, west).set({
    ...{
      follows: undefined,
      streaming: false,
      lease: { epoch: eight, untilMicros: 0, closedFor: eight, replacedIn: eight, replacedAt: east },
    },
    position: { canary: { seq: 900, writtenAt: timestamp(world.clock.now()) }, transactions: 90_000 },
  });
  const requested = requestFailback({
    ...{ operations: world.operations, record: await world.ports.coordination.read(), handOver: false },
    ...{ requestedBy: 'alice', reason: 'after a replacement', now: world.clock.now() },
  });
  if (requested.kind === 'refused') throw new Error(requested.because);
  const run = (before: (step: string) => void = () => {}) =>
    runMachine(
      definition,
      { ...world, step: (name, record) => world.step(name, record, east) },
      { request: requested.request },
      { instead: { 'prove-replica': (record) => ({ ...record, status: 'proven' }) }, before },
    );
  return { world, first, second, run };
}

describe('failback after a replacement, which leaves the lead where it is', () => {
  it('makes the replica of what was replaced anew, and lets the others be', async () => {
    const { world, first, second, run } = await replaced();
    const other = world.server(second, west).facts();
    const { end, record: last } = await run();
    expect(end).toBe('Failed back');
    expect(world.server(first, west).facts()).toMatchObject({ role: 'replica', follows: east, lease: { epoch: 8, holder: east } });
    expect(world.ports.replicas.keptAside(west)).toEqual([expect.stringMatching(/-old-8$/)]);
    expect(world.server(second, west).facts()).toEqual(other);
    expect(last).toMatchObject({
      astray: [{ databaseId: first, why: 'follows what was closed for epoch 8, not what was opened in it' }],
      notListed: expect.arrayContaining([{ databaseId: first, why: expect.stringContaining(`it is kept in ${east}`) }]),
    });
  });

  it('does not take a replica of another primary for one that streams', async () => {
    const { world, first, run } = await replaced();
    let looks = 0;
    const { rebuild } = world.ports.replicas;
    // The service says that it was done, and did nothing.
    world.ports.replicas.rebuild = async () => {};
    const { end, states } = await run((step) => {
      if (step === 'await-replica' && ++looks === 3) void rebuild({ databaseId: first, region: west, from: east, epoch: eight });
    });
    expect(end).toBe('Failed back');
    expect(states.filter((state) => state === 'Is the replica streaming?').length).toBeGreaterThan(3);
  });
});
