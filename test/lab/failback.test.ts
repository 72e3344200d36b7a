import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { minutes, seconds } from '../../functions/common/duration.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import type { FailbackRecord } from '../../functions/failover/failback/models.ts';
import { failbackExecution, requestFailback } from '../../functions/failover/failback/request-failback.ts';
import { measureMove } from '../../lab/failover/move.ts';
import { approvers, watchableNumbers } from '../../lab/failover/policy.ts';
import { type FailoverWorld, openFailoverWorld } from '../../lab/failover/world.ts';
import { readJournal } from '../../lab/hospital/journal.ts';

let world: FailoverWorld;
beforeAll(async () => {
  world = await openFailoverWorld({ profile: 'hms', seed: 5, sizeBytes: 4_000_000, numbers: watchableNumbers, perSecond: 60 });
}, 120_000);
afterAll(() => world?.end(), 60_000);

/** Whatever is asked is approved: this is about what follows. */
async function approve(): Promise<void> {
  const { coordination } = world.lab.ports(world.sides().other);
  for (const { hash } of await coordination.requests()) {
    const at = timestamp(world.lab.clock.now());
    await coordination.answer({ hash, answer: 'approved', by: approvers.first, at });
  }
}

/** The leading Region is killed while its replica has not heard of it for a while. */
async function loseLeaderWithWrites(): Promise<{ readonly from: Region; readonly to: Region; readonly lostIds: readonly number[] }> {
  const { leader: from, other: to } = world.sides();
  world.network.holdReplication(world.regions, to, true);
  await world.lab.clock.sleep(2_000);
  const startedAt = new Date();
  const startedMs = world.kill(from);
  const asking = setInterval(() => void approve().catch(() => {}), 500);
  const move = await measureMove(world, { from, to, startedMs, startedAt, sinceMs: 0 }).finally(() => clearInterval(asking));
  world.network.holdReplication(world.regions, to, false);
  return { from, to, lostIds: move.loss.lostIds };
}

async function failBack(wanted: { readonly handOver: boolean }): Promise<FailbackRecord> {
  const { leader } = world.sides();
  const { executions, reports, coordination } = world.lab.ports(leader);
  const requested = requestFailback({
    ...{ operations: world.lab.operations, record: await coordination.read(), now: world.lab.clock.now() },
    ...{ ...wanted, requestedBy: approvers.second, reason: 'the Region is back' },
  });
  if (requested.kind === 'refused') throw new Error(requested.because);
  const ref = failbackExecution(requested.request);
  await executions.start({ ...ref, input: { request: requested.request } });
  await world.until('the failback has ended', minutes(2), async () => (await executions.describe(ref))?.status !== 'running');
  const [key] = (await reports.list(leader, 'failbacks/')).filter(
    (each) => each.includes(requested.request.failbackId) && each.endsWith('.json'),
  );
  const report = key && (await reports.get(leader, key));
  expect((await executions.describe(ref))?.status, report && Buffer.from(report).toString()).toBe('succeeded');
  return JSON.parse(Buffer.from(report ?? []).toString());
}

/** Ids in the export of the journal's lost rows. */
async function exportedIds(region: Region, { lost }: FailbackRecord): Promise<readonly number[]> {
  const { reports } = world.lab.ports(region);
  const objects = lost.filter(({ table }) => table === 'lab.journal').flatMap((table) => table.objects);
  const texts = await Promise.all(objects.map(async (key) => Buffer.from((await reports.get(region, key)) ?? []).toString()));
  return texts.flatMap((text) => text.trimEnd().split('\n')).map((line): number => JSON.parse(line).row.id);
}

describe('failback in the lab', { timeout: 240_000 }, () => {
  test('lists and keeps what only the lost Region had, and gives the lead back without losing a write', async () => {
    const { from, to, lostIds } = await loseLeaderWithWrites();
    expect(lostIds.length).toBeGreaterThan(20);
    await world.revive(from);
    const report = await failBack({ handOver: true });

    expect(world.record()).toMatchObject({ holder: from, phase: 'active' });
    const exported = await exportedIds(to, report);
    expect(exported).toEqual(expect.arrayContaining([...lostIds]));
    const old = new Set(exported);
    expect(report.lost.find(({ table }) => table === 'lab.journal')).toMatchObject({ inserted: old.size, updated: 0, deleted: 0 });
    expect(report.proven.flatMap(({ checks }) => checks.map(({ result }) => result))).not.toContain('failed');
    expect(report.kept).toHaveLength(1);
    const { databases } = world.lab.ports(to);
    const [kept] = report.kept;
    expect(await databases.describeSnapshot({ region: from, snapshotId: kept?.recoveryPointId ?? '' })).toMatchObject({
      status: 'available',
    });

    // Everything that the Region in between acknowledged is there, and everything since.
    await world.until('the first Region takes writes again', seconds(30), () => world.acknowledgements.all.at(-1)?.region === from);
    const acknowledged = world.acknowledgements.all.filter(({ id }) => !old.has(id)).map(({ id }) => id);
    const journal = await readJournal(world.regions.address(from, 'admin'));
    expect(acknowledged.filter((id) => !journal.has(id))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(200);
    // What was lost stays lost: nobody slips rows into a live database.
    expect([...old].filter((id) => journal.has(id))).toEqual([]);
  });

  test('only makes the old Region a replica again where the lead is to stay', async () => {
    // The hand-over left the Region that led in between without a stream.
    const { leader, other } = world.sides();
    const report = await failBack({ handOver: false });
    expect(world.record()).toMatchObject({ holder: leader, phase: 'active' });
    expect(report.lostRows).toBe(0);
    const { replicas } = world.lab.ports(leader);
    const { databaseId } = world.regions.state;
    expect(await replicas.describe(databaseId, other)).toMatchObject({ role: 'replica', status: 'available' });
  });
});
