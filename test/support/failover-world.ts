import { InvalidInput } from '../../functions/common/errors.ts';
import { DatabaseId, type Region, timestamp } from '../../functions/common/ids.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { planFailover } from '../../functions/failover/leadership/plan.ts';
import { type CoordinationRecord, Epoch, type FailoverPlan, type FailoverRecord, type Vote } from '../../functions/failover/models.ts';
import { runStep } from '../../functions/handlers/run-operation.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { sqlServersFrom } from '../../functions/memory/sql-servers.ts';
import { stepNamed } from '../../functions/tasks.ts';
import { canaryServer } from './canary-server.ts';
import { testOperations } from './operations.ts';

const base = testOperations();
export const { primary: east, standby: west, tertiary } = base.regions;

/** Nobody is asked: what the observers decide happens. */
export function movableOperations(failover: Partial<Operations['failover']> = {}): Operations {
  return testOperations({
    failover: { ...base.failover, mode: 'automatic', approvals: { ...base.failover.approvals, by: ['alice', 'bob'] }, ...failover },
  });
}

/**
 * A deployment in memory that can move: the primary Region leads in epoch 7, fenced, with both replicas up to date. Its clock stands still unless
 * somebody waits on it or moves it.
 */
export async function failoverWorld(given: { readonly operations?: Operations; readonly record?: Partial<CoordinationRecord> } = {}) {
  const operations = given.operations ?? movableOperations();
  const clock = manualClock('2026-11-21T12:00:00.000Z');
  const { sqlServers: _, ...rest } = memoryPorts({ operations, clock });
  const live = (databaseId: DatabaseId, region: Region) =>
    canaryServer(rest.fences.server(databaseId, region), namesOf(operations, databaseId));
  const ports = { ...rest, sqlServers: sqlServersFrom({ live }) };
  const databases = operations.databases.map(({ id }) => id);
  const first: CoordinationRecord = {
    epoch: Epoch.parse(7),
    holder: east,
    phase: 'active',
    leaseUntil: timestamp(clock.now()),
    fenced: true,
    changedAt: timestamp(new Date(clock.now().getTime() - 86_400_000)),
    version: 41,
    ...given.record,
  };
  await ports.coordination.create(first);
  for (const databaseId of databases) {
    const server = ports.fences.server(databaseId, east);
    server.set({ lease: { epoch: first.epoch, holder: east, untilMicros: (clock.now().getTime() + 20_000) * 1000 } });
    server.write();
  }

  const world = {
    ...{ operations, clock, ports, databases },
    server: (databaseId: DatabaseId, region: Region) => ports.fences.server(databaseId, region),
    /** The primary Region is gone: its databases do not answer, and nothing reaches the replicas any more. */
    loseEast() {
      for (const databaseId of databases) {
        ports.fences.server(databaseId, west).set({ streaming: false });
        ports.fences.server(databaseId, east).set({ reachable: false });
      }
    },
    /** The observers saw the record unchanged and the Region unreachable for so long; they know the positions of `knownFor` seconds ago. */
    async observe({ unhealthySeconds = 40, unchangedSeconds = 40, knownSecondsAgo = 45 } = {}) {
      const record = await ports.coordination.read();
      if (!record) throw new Error('no record');
      for (const observer of [west, tertiary]) await ports.coordination.castVote(voteOf(observer, record));
      function voteOf(observer: Region, { epoch, version, holder }: CoordinationRecord): Vote {
        const ago = (count: number) => timestamp(new Date(clock.now().getTime() - count * 1000));
        return {
          ...{ observer, at: ago(0), run: ago(100), about: holder, epoch },
          findings: [{ subject: 'region', status: 'unhealthy', since: ago(unhealthySeconds), contrary: 0, says: 'timeout after 2 s' }],
          positions: databases.map((databaseId) => ({
            databaseId,
            position: ports.fences.server(databaseId, holder).facts().position,
            at: ago(knownSecondsAgo),
          })),
          lease: { version, unchangedSeconds },
        };
      }
    },
    async plan(change: Partial<FailoverPlan> = {}): Promise<FailoverPlan> {
      const planned = planFailover({
        operations,
        record: await ports.coordination.read(),
        kind: change.kind === 'switchover' ? 'switchover' : 'failover',
        to: west,
        requestedBy: 'codeblue',
        reason: 'us-east-1 unreachable: 2 of 3 unhealthy for 40 s',
        now: clock.now(),
        needsApproval: false,
        outageSince: new Date(clock.now().getTime() - 50_000),
      });
      if (planned.kind === 'refused') throw new InvalidInput(planned.because);
      return { ...planned.plan, ...change };
    },
    /** Runs one step in the standby Region, as Lambda would. */
    async step(name: string, record: unknown, region = west): Promise<FailoverRecord> {
      const step = stepNamed(name);
      const host = { ports, operations, region, clock, log: silentLogger, codeSha256: '0c'.repeat(32) };
      const result = await runStep(step, record, host, new Date(clock.now().getTime() + step.timeout * 1000));
      return JSON.parse(JSON.stringify(result));
    },
    /** The guardian of the primary Region lives: it sees the claim, closes its databases and says so. */
    async closeEast(epoch: number) {
      const closed = databases.map(async (databaseId) => {
        const fence = await ports.fences.open(databaseId, east);
        return { databaseId, position: await fence.close(Epoch.parse(epoch)) };
      });
      const at = timestamp(clock.now());
      await ports.coordination.putReceipt({ region: east, epoch: Epoch.parse(epoch), at, databases: await Promise.all(closed) });
    },
    /** The guardian of the standby Region, once that leads. */
    async renewWest(epoch: number) {
      for (const databaseId of databases) {
        const fence = await ports.fences.open(databaseId, west);
        await fence.renew({ epoch: Epoch.parse(epoch), holder: west, untilMicros: (await fence.clock()) + 20_000_000 });
      }
    },
    /** Somebody answers the newest question. */
    async answer(by: string, answer: 'approved' | 'rejected' = 'approved') {
      const requests = await ports.coordination.requests();
      const newest = [...requests].sort((a, b) => a.askedAt.localeCompare(b.askedAt)).at(-1);
      if (!newest) throw new Error('nobody asked');
      await ports.coordination.answer({ hash: newest.hash, answer, by, at: timestamp(clock.now()) });
    },
  };
  return world;
}

export type FailoverWorld = Awaited<ReturnType<typeof failoverWorld>>;

const namesOf = (operations: Operations, databaseId: DatabaseId): readonly string[] =>
  operations.databases.find(({ id }) => id === DatabaseId.parse(databaseId))?.databaseNames ?? [databaseId];
