import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachLab } from '../../lab/attach.ts';
import { restoreProtection } from '../../lab/failover/old-primary.ts';
import { watchableNumbers } from '../../lab/failover/policy.ts';
import { Timeline } from '../../lab/failover/timeline.ts';
import { type FailoverWorld, openFailoverWorld } from '../../lab/failover/world.ts';
import { readJournal } from '../../lab/hospital/journal.ts';
import { phases } from '../../lab/phases.ts';
import { processesUnder } from '../../lab/postgres/processes.ts';
import { Findings } from '../../lab/report.ts';
import { auditTrail } from '../../lab/scenarios/failover/audit-trail.ts';
import { cutOff } from '../../lab/scenarios/failover/cut-off.ts';
import { winnersKeepAll } from '../../lab/scenarios/failover/kills.ts';
import { loseRegion } from '../../lab/scenarios/failover/lose-region.ts';
import { oldPrimaryReturns } from '../../lab/scenarios/failover/old-primary-returns.ts';
import type { FailoverStage } from '../../lab/scenarios/failover/stage.ts';

/** Everything real: two PostgreSQL servers, the deployed machine, guardians and observers on their schedules, a writer behind the router. */
describe('leadership', () => {
  let world: FailoverWorld;
  beforeAll(async () => {
    world = await openFailoverWorld({ profile: 'hms', seed: 3, sizeBytes: 16e6, numbers: watchableNumbers, perSecond: 60 });
  });
  afterAll(() => world?.end());

  const stage = (): FailoverStage => ({ world, phases: phases('silent'), findings: new Findings(), timeline: new Timeline() });
  const broken = ({ findings }: FailoverStage) => findings.promises.filter(({ held }) => !held).map(({ id, figure }) => `${id}: ${figure}`);
  const judged = ({ findings }: FailoverStage) => findings.promises.map(({ id }) => id);

  it('goes to the other Region when the leading one is lost, and the old primary comes back fenced', async () => {
    const [first, second] = world.candidates;
    const at = stage();
    const move = await loseRegion(at);
    expect([move.from, move.to, move.epoch]).toEqual([first, second, 2]);
    await oldPrimaryReturns(at, move);
    await restoreProtection(world);
    await winnersKeepAll(at, [move], ({ regions }) => readJournal(regions.address(regions.primary, 'admin')));
    await auditTrail(at);
    expect(broken(at)).toEqual([]);
    expect(judged(at)).toEqual(['F2', 'F3', 'P1.kill', 'P5.kill', 'F4.return', 'P1', 'P4']);
    expect(processesUnder(world.regions.dir).filter(({ root }) => root)).toHaveLength(2);
  });

  it('is seen as it is by a process that looks into the lab from outside', async () => {
    const { leader, other } = world.sides();
    const { databaseId } = world.regions.state;
    const { ports, operations, region } = await attachLab(world.regions.dir);
    expect(region).toBe(leader);
    expect(operations).toEqual(world.lab.operations);
    expect(await ports.coordination.read()).toMatchObject({ epoch: 2, holder: leader, phase: 'active' });
    expect(await ports.replicas.describe(databaseId, leader)).toMatchObject({ role: 'primary', status: 'available' });
    expect(await ports.replicas.describe(databaseId, other)).toMatchObject({ role: 'replica', status: 'available' });
    const fence = await ports.fences.open(databaseId, other); // over the link: it is another Region's database
    expect(await fence.state()).toMatchObject({ isReplica: true, installed: true, open: false, unfenced: [] });
    await fence.end();
    expect(await ports.databases.describe(databaseId, other)).toMatchObject({ replicaOf: leader });
  });

  it('leaves a Region that is cut off from all but its clients, and no two of them are ever written to', async () => {
    const { leader, other } = world.sides();
    const at = stage();
    const move = await cutOff(at);
    expect([move.from, move.to]).toEqual([leader, other]);
    // The one that was cut off was alive all the time, and went on taking writes until its lease ran out.
    expect(move.loss.lostIds.length).toBeGreaterThan(0);
    await oldPrimaryReturns(at, move);
    expect(broken(at)).toEqual([]);
    expect(judged(at)).toEqual(['P1.partition', 'P5.partition', 'F4.return']);
  });
});
