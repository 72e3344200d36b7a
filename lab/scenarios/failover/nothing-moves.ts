import { guardLease } from '../../../functions/failover/lease/guard.ts';
import { observeRegions } from '../../../functions/failover/observe/observe.ts';
import { type FailoverStage, quietFigure, watchQuietly } from './stage.ts';

/** P6: one observer that sees the leader now and then, and then not at all. */
export async function flappingObserver(stage: FailoverStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { observe } = world.lab.operations.failover;
  const flaps = 8;
  const flapMs = 700;
  await phases.run('Let one observer flap, then cut it off', async () => {
    const { leader } = world.sides();
    const { watcher, network, regions } = world;
    const quiet = await watchQuietly(stage, (flaps * flapMs) / 1000 + 2 * observe.dwell, async () => {
      for (let flap = 0; flap < flaps; flap++) {
        if (flap % 2 === 0) network.partition(regions, watcher, leader);
        else network.heal(regions, watcher, leader);
        await world.lab.clock.sleep(flapMs);
      }
      network.partition(regions, watcher, leader);
    });
    const [vote] = (await world.lab.ports().coordination.votes()).filter(({ observer }) => observer === watcher);
    const complains = vote?.findings.filter(({ status }) => status === 'unhealthy').map(({ subject }) => subject) ?? [];
    network.heal(regions, watcher, leader);
    findings.promise(
      'P6',
      'An observer that flaps or is cut off moves nothing.',
      quiet.stayed && quiet.failed === 0 && complains.length > 0,
      `${watcher} called ${complains.length} things unhealthy; ${quietFigure(quiet)}`,
    );
  });
}

/** P7: the guardian beside the database dies, and the one in the other region renews the lease across. */
export async function deadGuardian(stage: FailoverStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { lease } = world.lab.operations.failover;
  await phases.run('Kill the guardian beside a live database', async () => {
    const { leader, other } = world.sides();
    const schedule = world.schedule(leader);
    const versionBefore = world.record().version;
    const quiet = await watchQuietly(stage, 2 * (lease.length + lease.margin), async () => schedule.kill(guardLease.name));
    const renewals = world.record().version - versionBefore;
    world.startSchedules(leader, guardLease.name);
    findings.promise(
      'P7.guardian',
      'One guardian lost stops nothing: the other Region’s renews the lease.',
      quiet.stayed && quiet.failed === 0 && renewals > 0,
      `${renewals} renewals by ${other} alone over ${2 * (lease.length + lease.margin)} s, lease ${lease.length} s; ${quietFigure(quiet)}`,
    );
  });
}

/** P7: the witness of the coordination table is lost. */
export async function witnessLost(stage: FailoverStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { lease, witness } = world.lab.operations.failover;
  await phases.run('Lose the witness', async () => {
    const { faults } = world.regions;
    faults.setDown(witness, true);
    const quiet = await watchQuietly(stage, lease.length + 2 * lease.margin);
    faults.setDown(witness, false);
    findings.promise('P7.witness', 'Losing the witness moves and stops nothing.', quiet.stayed && quiet.failed === 0, quietFigure(quiet));
  });
}

/** P7: the leader's observer dies; a vote is missing, and nothing else. */
export async function observerLost(stage: FailoverStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { observe } = world.lab.operations.failover;
  await phases.run('Lose an observer', async () => {
    const { leader } = world.sides();
    const schedule = world.schedule(leader);
    const quiet = await watchQuietly(stage, observe.voteMaxAge + observe.dwell, async () => schedule.kill(observeRegions.name));
    world.startSchedules(leader, observeRegions.name);
    findings.promise('P7.observer', 'One observer lost moves and stops nothing.', quiet.stayed && quiet.failed === 0, quietFigure(quiet));
  });
}
