import { beforeAll, describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import { RehearsalRecord, type RehearsalRequest } from '../../functions/failover/drill/models.ts';
import { parseRehearsalReport } from '../../functions/failover/drill/rehearsal-report.ts';
import { copiesOf } from '../../functions/failover/drill/rehearsed-copies.ts';
import { requestRehearsal } from '../../functions/failover/drill/request-rehearsal.ts';
import type { Finding } from '../../functions/failover/models.ts';
import type { Definition } from '../../simulation/machine/definition.ts';
import { east, type FailoverWorld, failoverWorld, tertiary, west } from '../support/failover-world.ts';
import { type Around, deployedMachine, runMachine, unpairedActs } from '../support/machine-run.ts';

let definition: Definition;
beforeAll(() => {
  definition = deployedMachine('failover-rehearsal');
});

/** The observer casts a fresh vote on what it sees of the live databases. */
async function vote(
  { ports, clock, databases }: FailoverWorld,
  observer: Region,
  findings: readonly Partial<Finding>[] = [],
): Promise<void> {
  const record = await ports.coordination.read();
  if (!record) throw new Error('no record');
  const at = timestamp(clock.now());
  const healthy: Finding = { subject: 'region', status: 'healthy', since: at, contrary: 0, says: '200 in 31 ms' };
  await ports.coordination.castVote({
    ...{ observer, at, run: at, about: record.holder, epoch: record.epoch },
    findings: [healthy, ...findings.map((finding) => ({ ...healthy, ...finding }))],
    positions: databases.map((databaseId) => ({ databaseId, position: ports.fences.server(databaseId, east).facts().position, at })),
    lease: { version: record.version, unchangedSeconds: 0 },
  });
}

/** A live system that goes on being watched and written while the machine waits. */
const alive =
  (world: FailoverWorld, more: Around['before'] = () => {}): NonNullable<Around['before']> =>
  async (step) => {
    const record = await world.ports.coordination.read();
    for (const id of world.databases) {
      const server = world.server(id, east);
      server.set({ lease: { ...server.facts().lease, untilMicros: (world.clock.now().getTime() + 20_000) * 1000 } });
      if (record) server.write();
    }
    await vote(world, east);
    await vote(world, tertiary);
    await more(step);
  };

/** The copy of each engine: what arrived, and then a committed write. */
function written(world: FailoverWorld, behindSeconds = 2): Around['instead'] {
  const write = (name: string, ids: readonly string[]) => (input: Readonly<Record<string, unknown>>) => {
    const record = RehearsalRecord.parse(input);
    const next = record.databases.find(({ databaseId, writtenAt }) => ids.includes(databaseId) && !writtenAt);
    if (!next) return { ...record, status: 'written' };
    if (!world.ports.replicas.rehearsalPromoted(west, next.restoredId)) throw new Error(`${name} before the promotion`);
    const { canary } = next.live ?? {};
    const arrived = canary && { seq: canary.seq - 1, writtenAt: timestamp(new Date(Date.parse(canary.writtenAt) - behindSeconds * 1000)) };
    const databases = record.databases.map((each) =>
      each === next ? { ...each, arrived, writtenAt: timestamp(world.clock.now()), writes: 1 } : each,
    );
    return { ...record, status: 'up', databases };
  };
  return { 'write-to-replica': write('write-to-replica', ['hms']), 'write-to-clone': write('write-to-clone', ['billing']) };
}

async function requestIn({ operations, ports, clock }: FailoverWorld): Promise<RehearsalRequest> {
  const record = await ports.coordination.read();
  const requested = requestRehearsal({ operations, record, requestedBy: 'alice', now: clock.now(), anytime: true });
  if (requested.kind === 'refused') throw new Error(requested.because);
  return requested.request;
}

async function rehearse(world: FailoverWorld, around: Around = {}) {
  const request = await requestIn(world);
  const instead = { ...written(world), ...around.instead };
  const result = await runMachine(definition, world, { request }, { ...around, before: alive(world, around.before), instead });
  const bytes = await world.ports.reports.get(west, `drills/${request.rehearsalId}.json`);
  const left = copiesOf(world.operations, request).map(({ restoredId }) =>
    world.ports.databases.describeRestored({ region: west, restoredId }),
  );
  return { ...result, request, report: bytes && parseRehearsalReport(bytes), left: (await Promise.all(left)).filter(Boolean) };
}

const leads = async ({ ports }: FailoverWorld) => {
  const record = await ports.coordination.read();
  return `${record?.phase} ${record?.epoch} ${record?.holder} ${record?.version}`;
};

describe('a rehearsal', () => {
  it('makes, promotes, writes, removes and reports, and claims nothing', async () => {
    const world = await failoverWorld();
    const before = await leads(world);
    const { end, succeeded, report, left, states } = await rehearse(world);
    expect({ end, succeeded, says: report?.stoppedBy }).toEqual({ end: 'Rehearsal passed', succeeded: true });
    expect([...new Set(states)].filter((state) => !/^(Wait|Up,|Well|Promoted,|Gone,|Did|Is it being|Were)/.test(state))).toEqual([
      'Is the live system well?',
      'Make a rehearsal replica',
      'Is it up?',
      'Promote the rehearsal replica',
      'Is it promoted?',
      'Write to it',
      'Write to the clones',
      'Tear it down',
      'Is it gone?',
      'Report',
      'Rehearsal passed',
    ]);
    expect(left).toEqual([]);
    expect(await leads(world)).toBe(before);
    expect(world.server(world.databases[0] ?? never(), west).facts().role).toBe('replica');
    expect(report).toMatchObject({ outcome: 'passed', databases: [{ lossSeconds: 2, lostCanaries: 1, writes: 1 }, { writes: 1 }] });
    // The modelled promotion takes 90 s, and is looked at every 5 s.
    expect(report?.databases[0]?.promotionSeconds).toBeGreaterThanOrEqual(90);
    expect(report?.databases[0]?.promotionSeconds).toBeLessThan(100);
    expect(world.ports.notices.published).toMatchObject([{ severity: 3, subject: `The rehearsal of a failover to ${west} passed` }]);
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('is reported for machines, for a terminal and for a browser', async () => {
    const world = await failoverWorld();
    const { request } = await rehearse(world);
    expect(await world.ports.reports.list(west, 'drills/')).toEqual(
      ['html', 'json', 'md'].map((kind) => `drills/${request.rehearsalId}.${kind}`),
    );
  });

  it('compares itself with earlier ones', async () => {
    const world = await failoverWorld();
    await rehearse(world);
    world.clock.advance(31 * 86_400);
    const { report } = await rehearse(world);
    expect(report?.databases[0]?.trend).toMatchObject({ samples: 2 });
    expect(report?.databases[0]?.trend?.secondsPerMonth).toBeCloseTo(0, 0);
  });

  it('fails when the loss is over its objective', async () => {
    const world = await failoverWorld();
    const { end, report, left } = await rehearse(world, { instead: written(world, 3_600) });
    expect(end).toBe('Rehearsal missed its objectives');
    expect(report?.objectives.filter(({ kept }) => !kept).map(({ subject }) => subject)).toEqual(['data loss of hms']);
    expect(left).toEqual([]);
    expect(world.ports.notices.published).toMatchObject([{ severity: 2 }]);
  });

  it('fails when nobody knew the live canaries: a loss that cannot be told is not kept', async () => {
    const world = await failoverWorld();
    const blind: Around['before'] = async () => {
      for (const observer of [east, tertiary]) {
        const votes = await world.ports.coordination.votes();
        const own = votes.find((each) => each.observer === observer);
        if (own) await world.ports.coordination.castVote({ ...own, positions: [] });
      }
    };
    const { end, report } = await rehearse(world, { before: blind });
    expect(end).toBe('Rehearsal missed its objectives');
    expect(report?.objectives.find(({ subject }) => subject === 'data loss of hms')).toMatchObject({ kept: false });
  });
});

describe('a live system that degrades', () => {
  const troubles: Readonly<Record<string, (world: FailoverWorld) => Promise<void>>> = {
    'one observer finds the database unhealthy': (world) => vote(world, tertiary, [{ subject: 'database/hms', status: 'unhealthy' }]),
    'one observer finds a critical service unhealthy': (world) =>
      vote(world, tertiary, [{ subject: 'service/orders', status: 'unhealthy' }]),
    'the real replica falls behind': async (world) => {
      world.server(world.databases[0] ?? never(), west).set({ streaming: false });
      world.clock.advance(70);
      await alive(world)('');
    },
    'the real replica does not answer': async (world) => world.server(world.databases[0] ?? never(), west).set({ reachable: false }),
    'somebody puts a hold': async ({ ports, clock }) => {
      const at = timestamp(clock.now());
      await ports.coordination.putHold({
        until: timestamp(new Date(clock.now().getTime() + 3_600_000)),
        by: 'bob',
        reason: 'incident',
        at,
      });
    },
    'leadership moves': async ({ ports }) => {
      const record = await ports.coordination.read();
      if (record) await ports.coordination.replace({ ...record, phase: 'claimed' });
    },
  };

  it.each(Object.entries(troubles))('%s: the rehearsal ends by itself and leaves nothing', async (_, trouble) => {
    const world = await failoverWorld();
    let looks = 0;
    const { end, succeeded, report, left, states } = await rehearse(world, {
      async before(step) {
        if (step === 'await-rehearsal' && ++looks >= 3) await trouble(world);
      },
    });
    expect({ end, succeeded }).toEqual({ end: 'Rehearsal aborted', succeeded: false });
    expect(report?.stoppedBy).toBeTruthy();
    expect(states).not.toContain('Promote the rehearsal replica');
    expect(left).toEqual([]);
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('an imaging service that is not critical stops nothing', async () => {
    const world = await failoverWorld();
    const { end } = await rehearse(world, { before: () => vote(world, tertiary, [{ subject: 'service/imaging', status: 'unhealthy' }]) });
    expect(end).toBe('Rehearsal passed');
  });

  it('the change window closes: it ends', async () => {
    const world = await failoverWorld();
    const request = { ...(await requestIn(world)), windowClosesAt: timestamp(new Date(world.clock.now().getTime() + 600_000)) };
    const { end } = await runMachine(definition, world, { request }, { before: alive(world), instead: written(world) });
    expect(end).toBe('Rehearsal aborted');
  });

  it('where a replica is missing nothing is made', async () => {
    const world = await failoverWorld();
    world.server(world.databases[0] ?? never(), west).set({ role: 'primary' });
    const { end, states } = await rehearse(world);
    expect(end).toBe('Rehearsal aborted');
    expect(states).not.toContain('Make a rehearsal replica');
  });
});

describe('failures and crashes', () => {
  it('a copy that never comes up is given up and removed', async () => {
    const world = await failoverWorld();
    const { end, report, left } = await rehearse(world, {
      async before(step) {
        if (step !== 'await-rehearsal') return;
        for (const copy of await world.ports.databases.listRestored(west))
          world.ports.databases.setRestored(copy, { databaseId: copy.databaseId, failed: true });
      },
    });
    expect(end).toBe('Rehearsal aborted');
    expect(report?.stoppedBy).toContain('failed');
    expect(left).toEqual([]);
  });

  it('a promotion that the service never takes leads to the teardown', async () => {
    const world = await failoverWorld();
    const { end, left } = await rehearse(world, {
      before(step) {
        if (step === 'promote-rehearsal')
          world.ports.replicas.failNext('promoteRehearsal', new ServiceUnavailable('it is being backed up'));
      },
    });
    expect(end).toBe('Rehearsal aborted');
    expect(left).toEqual([]);
  });

  it('a copy that takes no write is given up after half an hour', async () => {
    const world = await failoverWorld();
    const { end, report } = await rehearse(world, { instead: { 'write-to-replica': (record) => ({ ...record, status: 'promoting' }) } });
    expect(end).toBe('Rehearsal aborted');
    expect(report?.stoppedBy).toMatch(/after 30 min/);
  });

  it('dying in any state and started again, it goes through, or ends when its copies were being removed already; nothing is left', async () => {
    const first = await failoverWorld();
    const { states } = await rehearse(first, { before: () => soonUp(first) });
    const removing = states.indexOf('Tear it down');
    // The loops of waiting say nothing new: each state once.
    for (const at of new Set(states.map((state) => states.indexOf(state)))) {
      for (const when of ['before', 'after'] as const) {
        const world = await failoverWorld();
        const request = await requestIn(world);
        const around = { before: alive(world, () => soonUp(world)), instead: written(world) };
        await runMachine(definition, world, { request }, { ...around, dies: { at, when } });
        const { end } = await runMachine(definition, world, { request }, around);
        const ends = at > removing || (at === removing && when === 'after') ? /^Rehearsal (passed|aborted)$/ : /^Rehearsal passed$/;
        expect(`${states[at]} ${when}: ${end}`).toMatch(new RegExp(`: ${ends.source.slice(1)}`));
        expect(await world.ports.databases.listRestored(west)).toEqual([]);
      }
    }
  });
});

/** Copies come up at once, so that a story is short. */
async function soonUp(world: FailoverWorld): Promise<void> {
  for (const copy of await world.ports.databases.listRestored(west)) {
    if (copy.status !== 'creating' || world.ports.replicas.rehearsalPromoted(west, copy.restoredId)) continue;
    world.ports.databases.setRestored(copy, { databaseId: copy.databaseId, availableAt: timestamp(world.clock.now()) });
  }
}

function never(): never {
  throw new Error('the deployment has no database');
}
