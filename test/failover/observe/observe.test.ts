import { beforeEach, describe, expect, it } from 'vitest';
import { minutes } from '../../../functions/common/duration.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { regionProbeAddresses } from '../../../functions/common/names.ts';
import { askFor } from '../../../functions/failover/approval/approvals.ts';
import { claim } from '../../../functions/failover/leadership/claim.ts';
import type { Vote } from '../../../functions/failover/models.ts';
import { observeRegions } from '../../../functions/failover/observe/observe.ts';
import { testOperations } from '../../support/operations.ts';
import { at, databaseIds, epoch, led, planned, policy, primary, secondsLater, standby, tertiary } from '../support.ts';
import { type FailoverWorld, failoverWorld, hanging } from '../world.ts';

const [hms] = databaseIds;
if (hms === undefined) throw new Error('the fixture has a database');

let world: FailoverWorld;
beforeEach(async () => {
  world = failoverWorld();
  await world.ports.coordination.create(led({ version: 0 }));
});
const voteOf = async (observer: Region): Promise<Vote> => {
  const vote = (await world.ports.coordination.votes()).find((each) => each.observer === observer);
  if (vote === undefined) throw new Error(`${observer} has not voted`);
  return vote;
};
const finding = async (subject: string, observer: Region = standby) => {
  const { findings } = await voteOf(observer);
  return findings.find((each) => each.subject === subject);
};
const started = () => world.ports.executions.started.map(({ region, machine, name }) => `${region} ${machine} ${name}`);
const everywhere = () => {
  for (const region of [primary, standby, tertiary]) world.begin(observeRegions, region);
};
const answerFrom = (region: Region, ok: boolean) => {
  for (const address of regionProbeAddresses(region))
    world.ports.probes.answer(address, { ok, says: ok ? '200 in 1 ms' : 'timeout after 2 s' });
};
const metric = (name: string, region: Region) => world.ports.metrics.latest(name, { Region: region });

describe('an observer', () => {
  it('votes on the leading Region, its services and its databases, with evidence and positions', async () => {
    const { position } = world.ports.fences.server(hms, primary).facts();
    world.begin(observeRegions, standby);
    await world.until(1);
    const vote = await voteOf(standby);
    expect(vote).toMatchObject({ observer: standby, at: at(0), run: at(0), about: primary, epoch: 7 });
    expect(vote.findings.map(({ subject, status }) => `${subject} ${status}`)).toEqual([
      'region healthy',
      'database/hms healthy',
      'database/billing healthy',
      'service/patients healthy',
      'service/orders healthy',
      'service/imaging healthy',
    ]);
    expect(vote.positions[0]).toEqual({ databaseId: 'hms', position, at: at(0) });
    expect(metric('Votes', standby)).toBe(1);
  });

  it('in a Region without a network to the databases says that it cannot look', async () => {
    world.begin(observeRegions, tertiary);
    await world.until(1);
    expect(await finding('database/hms', tertiary)).toMatchObject({ status: 'unknown', says: 'no network to the database from here' });
    expect((await voteOf(tertiary)).positions).toEqual([]);
    expect(metric('BlindSubjects', tertiary)).toBe(0);
  });

  it('that has never seen a subject healthy counts for nothing there, and that is told', async () => {
    world.ports.fences.server(hms, primary).set({ reachable: false });
    world.ports.probes.answer('https://orders.us-east-1', { ok: false, says: '404' });
    world.begin(observeRegions, standby);
    await world.until(100);
    expect(await finding('database/hms')).toMatchObject({ status: 'unknown', says: 'hms in us-east-1 does not answer' });
    expect(metric('BlindSubjects', standby)).toBe(2);
    expect(metric('UnhealthySubjects', standby)).toBe(0);
  });

  it('votes every few seconds, for as long as it runs', async () => {
    const run = world.begin(observeRegions, standby);
    await world.until(128);
    expect((await voteOf(standby)).at).toBe(at(125));
    await world.until(131);
    expect(run).toMatchObject({ ended: true, result: { ticks: 26 } });
  });

  it('stops when a later run of its Region votes, which goes on with what was found', async () => {
    const first = world.begin(observeRegions, standby);
    await world.until(20);
    world.ports.probes.answer('https://orders.us-east-1', { ok: false, says: '503' });
    await world.until(58);
    const before = await finding('service/orders');
    expect(before).toMatchObject({ status: 'unhealthy', since: at(35) });
    const second = world.begin(observeRegions, standby);
    await world.until(65);
    expect([first.ended, second.ended]).toEqual([true, false]);
    expect(await finding('service/orders')).toMatchObject({ status: 'unhealthy', since: at(35) });
    expect((await voteOf(standby)).run).toBe(at(58));
  });

  it('is not stopped by anything that fails or hangs: that is a finding, and the vote is cast in time', async () => {
    const fences = { ...world.ports.fences, open: () => new Promise<never>(() => {}) };
    const probes = {
      http: (url: string) =>
        url.includes('patients')
          ? Promise.reject(new Error('socket'))
          : url.includes('orders')
            ? new Promise<never>(() => {})
            : world.ports.probes.http(url, 2),
    };
    world.begin(observeRegions, standby);
    await world.until(12);
    world.begin(observeRegions, standby, { ...world.ports, fences, probes });
    await world.until(34);
    expect((await voteOf(standby)).at).toBe(at(34)); // began at 12, and each look takes its limit of 2 s
    expect(await finding('database/hms')).toMatchObject({ status: 'unhealthy', says: 'timeout after 2 s' });
    expect(await finding('service/orders')).toMatchObject({ status: 'unhealthy', says: 'timeout after 2 s' });
    expect(await finding('service/patients')).toMatchObject({ status: 'unhealthy', says: 'socket' });
    expect(await finding('region')).toMatchObject({ status: 'healthy' });
  });

  it('gives up a connection that fails, and makes a new one for the next look', async () => {
    let opened = 0;
    const fences = {
      ...world.ports.fences,
      open: (...args: Parameters<typeof world.ports.fences.open>) => {
        if (args[0] === hms) opened++;
        return world.ports.fences.open(...args);
      },
    };
    world.begin(observeRegions, standby, { ...world.ports, fences });
    await world.until(11);
    expect(opened).toBe(1);
    world.ports.fences.server(hms, primary).set({ reachable: false });
    await world.until(16);
    world.ports.fences.server(hms, primary).set({ reachable: true });
    await world.until(30);
    expect(opened).toBe(2);
  });

  it('takes a Region for unreachable only when none of its addresses answers', async () => {
    const [one] = regionProbeAddresses(primary);
    world.begin(observeRegions, standby);
    await world.until(2);
    world.ports.probes.answer(one ?? '', { ok: false, says: '500' });
    await world.until(40);
    expect(await finding('region')).toMatchObject({ status: 'healthy' });
    answerFrom(primary, false);
    await world.until(80);
    expect(await finding('region')).toMatchObject({ status: 'unhealthy', says: 'timeout after 2 s' });
  });

  it('keeps the last known position of a database that it cannot read any more', async () => {
    world.begin(observeRegions, standby);
    await world.until(11);
    const known = (await voteOf(standby)).positions;
    world.ports.fences.server(hms, primary).set({ reachable: false });
    await world.until(60);
    expect((await voteOf(standby)).positions.find(({ databaseId }) => databaseId === hms)).toEqual(
      known.find(({ databaseId }) => databaseId === hms),
    );
  });

  it('counts for how long it has seen one version of the record, and begins again with each renewal', async () => {
    world.begin(observeRegions, standby);
    await world.until(21);
    expect((await voteOf(standby)).lease).toEqual({ version: 0, unchangedSeconds: 20 });
    await world.ports.coordination.replace(led({ version: 0 }));
    await world.until(26);
    expect((await voteOf(standby)).lease).toEqual({ version: 1, unchangedSeconds: 0 });
    await world.until(41);
    // A later run carries on with what was proven, and adds nothing for the time between.
    const later = world.begin(observeRegions, standby);
    await world.until(42);
    expect((await voteOf(standby)).lease).toEqual({ version: 1, unchangedSeconds: 15 });
    await world.until(47);
    expect((await voteOf(standby)).lease).toEqual({ version: 1, unchangedSeconds: 20 });
    expect(later.ended).toBe(false);
  });

  it('looks at the new holder once leadership has moved, and knows nothing of it', async () => {
    world.begin(observeRegions, tertiary);
    await world.until(11);
    await world.ports.coordination.replace(led({ version: 0, epoch: epoch(8), holder: standby, changedAt: at(11) }));
    answerFrom(standby, false);
    await world.until(60);
    expect(await voteOf(tertiary)).toMatchObject({ about: standby, epoch: 8 });
    expect(await finding('region', tertiary)).toMatchObject({ status: 'unknown', since: at(15) });
  });

  it('goes on looking at the old one while leadership is being moved', async () => {
    world.begin(observeRegions, tertiary);
    await world.until(11);
    const taken = claim(led({ version: 0 }), planned());
    if (taken.kind !== 'write') throw new Error('not claimed');
    await world.ports.coordination.replace(taken.record);
    await world.until(21);
    expect(await voteOf(tertiary)).toMatchObject({ about: primary, epoch: 8 });
  });
});

describe('a Region that is lost', () => {
  it('is noticed, and the failover is started once, with the evidence, by observers elsewhere', async () => {
    everywhere();
    await world.until(12);
    answerFrom(primary, false);
    await world.until(53);
    expect(started()).toEqual([]);
    // Failures at 15, 20 and 25 s turn it; 30 s of dwell later both observers agree.
    await world.until(56);
    expect(started()).toEqual([`${standby} failover failover-8`]);
    expect(world.ports.executions.started[0]?.input).toMatchObject({
      plan: { from: primary, to: standby, epoch: 8, requestedBy: 'codeblue', outageSince: at(15), needsApproval: true },
    });
    await world.until(128);
    expect(started()).toHaveLength(1);
    const acts = await world.ports.auditLog.recent(secondsLater(-1), 10);
    expect(acts.map(({ action, resource, phase, actor }) => `${actor} ${action} ${resource} ${phase}`).sort()).toEqual([
      'task/observe-regions start-failover failover-8 intent',
      'task/observe-regions start-failover failover-8 outcome',
    ]);
  });

  it('starts nothing, even when all agree: its observer may be the one that is cut off', async () => {
    const seen = (subject: string) => ({ subject, status: 'unhealthy' as const, since: at(-60), contrary: 0, says: 'refused' });
    for (const observer of [standby, tertiary]) {
      await world.ports.coordination.castVote({
        ...{ observer, at: at(0), run: at(-60), about: primary, epoch: epoch(7), findings: [seen('region')], positions: [] },
        lease: { version: 0, unchangedSeconds: 0 },
      });
    }
    world.begin(observeRegions, primary);
    await world.until(4);
    expect(started()).toEqual([]);
    // Another observer does at once, on the same votes.
    world.begin(observeRegions, tertiary);
    await world.until(5);
    expect(started()).toEqual([`${standby} failover failover-8`]);
  });

  it('is not left before the Region that would take over is heard of', async () => {
    world.begin(observeRegions, primary);
    world.begin(observeRegions, tertiary);
    await world.until(12);
    answerFrom(primary, false);
    await world.until(128);
    // Two of three see it, and one of them is elsewhere; but nothing is heard of the Region that would take over.
    expect(started()).toEqual([]);
  });

  it('and only flaps, moves nothing', async () => {
    everywhere();
    await world.until(12);
    for (let seconds = 12; seconds < 128; seconds += 15) {
      answerFrom(primary, false);
      await world.until(seconds + 10);
      answerFrom(primary, true);
      await world.until(seconds + 15);
    }
    expect(started()).toEqual([]);
  });

  it('moves nothing while people hold it, or after somebody refused', async () => {
    await world.ports.coordination.putHold({ until: at(90), by: 'alice', reason: 'network work', at: at(0) });
    const asked = askFor({ question: 'start', plan: planned(), losses: [] }, policy.approvals, secondsLater(0));
    everywhere();
    await world.until(12);
    answerFrom(primary, false);
    await world.until(89);
    expect(started()).toEqual([]);
    await world.ports.coordination.ask(asked);
    await world.ports.coordination.answer({ hash: asked.hash, answer: 'rejected', by: 'bob', at: at(80) });
    await world.until(110);
    expect(started()).toEqual([]);
    // A refusal of a question about another epoch is none of this one.
    const other = failoverWorld();
    await other.ports.coordination.create(led({ epoch: epoch(8), version: 0 }));
    await other.ports.coordination.ask(asked);
    await other.ports.coordination.answer({ hash: asked.hash, answer: 'rejected', by: 'bob', at: at(0) });
    for (const region of [standby, tertiary]) other.begin(observeRegions, region);
    await other.until(12);
    for (const address of regionProbeAddresses(primary)) other.ports.probes.answer(address, { ok: false, says: 'refused' });
    await other.until(80);
    expect(other.ports.executions.started.map(({ name }) => name)).toEqual(['failover-9']);
  });

  it('is started again under the next name when its execution ended and nothing moved, after a while', async () => {
    const ended = new Set<string>();
    const executions = {
      ...world.ports.executions,
      describe: async (ref: Parameters<typeof world.ports.executions.describe>[0]) =>
        ended.has(ref.name) ? { status: 'failed' as const } : world.ports.executions.describe(ref),
    };
    for (const region of [standby, tertiary]) world.begin(observeRegions, region, { ...world.ports, executions });
    await world.until(12);
    answerFrom(primary, false);
    await world.until(61);
    ended.add('failover-8');
    await world.until(84);
    expect(started()).toEqual([`${standby} failover failover-8`]);
    await world.until(86);
    expect(started()).toEqual([`${standby} failover failover-8`, `${standby} failover failover-8-2`]);
  });
});

describe('a failover that nobody carries out', () => {
  it('is resumed with the plan that the record holds', async () => {
    const taken = claim(led({ version: 0 }), planned());
    if (taken.kind !== 'write') throw new Error('not claimed');
    await world.ports.coordination.replace(taken.record);
    everywhere();
    await world.until(3);
    expect(started()).toEqual([`${standby} failover failover-8`]);
    expect(world.ports.executions.started[0]?.input).toEqual({ plan: planned() });
    await world.until(30);
    expect(metric('UnfinishedSeconds', tertiary)).toBe(10); // the old lease ended at 20 s, and the last look was at 30
  });
});

describe('a change whose Region leads, and that nobody has told and recorded', () => {
  const committed = { plan: planned(), fenced: 'by-expiry' as const, losses: [] };
  const active = led({ version: 1, epoch: epoch(8), holder: standby, committed, changedAt: at(0) });
  const executions = () => ({ ...world.ports.executions, describe: async () => ({ status: 'failed' as const }) });
  const free = (name: string) => ({
    ...world.ports.executions,
    describe: async (ref: { readonly name: string }) => (ref.name === name ? undefined : { status: 'failed' as const }),
  });

  it.each([
    ['the observer of that very Region', standby],
    ['the witness', tertiary],
  ])('is taken up by %s once its execution has died', async (_, observer) => {
    await world.ports.coordination.replace({ ...active, version: 0 });
    world.begin(observeRegions, observer, { ...world.ports, executions: free('failover-8-2') });
    await world.until(19);
    expect(started()).toEqual([]);
    await world.until(25);
    expect(new Set(started())).toEqual(new Set([`${standby} failover failover-8-2`]));
    expect(world.ports.executions.started[0]?.input).toEqual({ plan: planned() });
  });

  it('is left alone once it is finished', async () => {
    const { committed: _, ...finished } = active;
    await world.ports.coordination.replace({ ...finished, version: 0 });
    for (const observer of [standby, tertiary]) world.begin(observeRegions, observer, { ...world.ports, executions: executions() });
    await world.until(60);
    expect(started()).toEqual([]);
  });

  it('does not make the observer of that Region move the lead away from it', async () => {
    await world.ports.coordination.replace({ ...active, version: 0, changedAt: at(-86_400) });
    const down = { subject: 'region', status: 'unhealthy' as const, since: at(-60), contrary: 0, says: 'refused' };
    for (const observer of [primary, tertiary]) {
      await world.ports.coordination.castVote({
        ...{ observer, at: at(0), run: at(-60), about: standby, epoch: epoch(8), findings: [down], positions: [] },
        lease: { version: 1, unchangedSeconds: 0 },
      });
    }
    world.begin(observeRegions, standby);
    await world.until(4);
    expect(started()).toEqual([]);
    world.begin(observeRegions, tertiary);
    await world.until(8);
    expect(started()).toEqual([`${primary} failover failover-9`]);
  });
});

describe('a coordination table that does not answer', () => {
  it('moves nothing and is told; what was seen meanwhile counts afterwards', async () => {
    everywhere();
    await world.until(12);
    answerFrom(primary, false);
    world.ports.coordination.setAvailable(false);
    await world.until(70);
    expect(started()).toEqual([]);
    expect(metric('CoordinationUnreadable', tertiary)).toBe(1);
    world.ports.coordination.setAvailable(true);
    await world.until(81);
    expect(started()).toEqual([`${standby} failover failover-8`]);
    expect(metric('CoordinationUnreadable', tertiary)).toBe(0);
  });

  it('and hangs, does not stop the observer', async () => {
    const run = world.begin(observeRegions, standby, { ...world.ports, coordination: hanging(world.ports.coordination, 'read') });
    await world.until(140);
    expect(run).toEqual({ ended: true, result: { ticks: 26, says: '' } });
    expect(await world.ports.coordination.votes()).toEqual([]);
  });

  it('at the first look of a run does not wipe out what the run before had seen', async () => {
    world.begin(observeRegions, standby);
    await world.until(58);
    world.ports.coordination.failNext('read', new ServiceUnavailable('busy'));
    const later = failoverWorld();
    await later.ports.coordination.create(led({ version: 0 }));
    await later.ports.coordination.castVote(await voteOf(standby));
    later.ports.coordination.failNext('read', new ServiceUnavailable('busy'));
    for (const databaseId of databaseIds) later.ports.fences.server(databaseId, primary).set({ reachable: false });
    later.begin(observeRegions, standby);
    await later.until(16);
    const [vote] = await later.ports.coordination.votes();
    expect(vote?.findings.find(({ subject }) => subject === 'database/hms')).toMatchObject({ status: 'unhealthy' });
  });
});

describe('failover that is off', () => {
  it('has no observers and no guardians', () => {
    const off = testOperations({ failover: { ...policy, mode: 'off' } });
    expect(observeRegions.schedules(off)).toEqual([]);
    expect(observeRegions.schedules(world.operations)).toHaveLength(1);
    expect(observeRegions.timeout).toBeGreaterThan(minutes(2) + 10);
  });
});
