import { beforeAll, describe, expect, it } from 'vitest';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import type { FullTestRequest } from '../../functions/failover/drill/full-test-models.ts';
import { parseFullTestReport } from '../../functions/failover/drill/full-test-report.ts';
import { requestFullTest } from '../../functions/failover/drill/request-full-test.ts';
import { Epoch, FailoverPlan, FailoverRecord } from '../../functions/failover/models.ts';
import { failoverReport, reportKeys } from '../../functions/failover/report/failover-report.ts';
import type { ExecutionRef } from '../../functions/maintenance/ports.ts';
import type { Definition } from '../../simulation/machine/definition.ts';
import { east, type FailoverWorld, failoverWorld, tertiary, west } from '../support/failover-world.ts';
import { type Around, deployedMachine, runMachine, unpairedActs } from '../support/machine-run.ts';

let definition: Definition;
beforeAll(() => {
  definition = deployedMachine('failover-full-test');
});

type Ends = Readonly<Record<string, 'done' | 'failed' | 'never'>>;

/** The machines that the test starts do what they are for, a minute after it looked for them, unless `ends` says otherwise. */
async function testWorld(ends: Ends = {}) {
  const world = await failoverWorld();
  const { executions, coordination, reports } = world.ports;
  const { describe: asStarted } = executions;
  const ended = new Map<string, 'succeeded' | 'failed'>();
  executions.describe = async (ref: ExecutionRef) => {
    const status = ended.get(`${ref.machine}/${ref.name}`);
    return status ? { status } : asStarted(ref);
  };
  const lead = async (holder: Region) => {
    const record = await coordination.read();
    if (record) await coordination.replace({ ...record, holder, epoch: Epoch.parse(record.epoch + 1), phase: 'active' });
  };
  async function finishWhatRuns(): Promise<void> {
    for (const { machine, name, input, region } of executions.started) {
      const key = `${machine}/${name}`;
      const kind = machine === 'failover' ? 'move' : region === west ? 'back' : 'protect';
      const how = ends[kind] ?? 'done';
      if (ended.has(key) || how === 'never') continue;
      ended.set(key, how === 'done' ? 'succeeded' : 'failed');
      if (how === 'done' && kind === 'move') {
        const { plan } = input as { readonly plan: unknown };
        await report(FailoverPlan.parse(plan));
      }
      if (how === 'done' && kind !== 'protect') await lead(kind === 'move' ? west : east);
    }
  }
  async function report(plan: FailoverPlan): Promise<void> {
    const at = timestamp(world.clock.now());
    const done = FailoverRecord.parse({ plan, status: 'done', confirmedAt: at, servingAt: at, atStrengthAt: at });
    const body = failoverReport(done, world.operations.failover.objectives, world.clock.now());
    await reports.put(west, reportKeys(plan).json, Buffer.from(JSON.stringify(body)), 'application/json');
  }
  const vote = async (unhealthy?: string) => {
    const record = await coordination.read();
    if (!record) return;
    const at = timestamp(world.clock.now());
    const findings = [
      {
        subject: unhealthy ?? 'region',
        status: unhealthy ? ('unhealthy' as const) : ('healthy' as const),
        since: at,
        contrary: 0,
        says: '',
      },
    ];
    const seen = {
      about: record.holder,
      epoch: record.epoch,
      findings,
      positions: [],
      lease: { version: record.version, unchangedSeconds: 0 },
    };
    for (const observer of [east, tertiary]) await coordination.castVote({ observer, at, run: at, ...seen });
  };
  return { ...world, finishWhatRuns, vote };
}
type TestWorld = Awaited<ReturnType<typeof testWorld>>;

async function requestIn({ operations, ports, clock }: FailoverWorld): Promise<FullTestRequest> {
  const record = await ports.coordination.read();
  const requested = requestFullTest({ operations, record, requestedBy: 'alice', now: clock.now(), anytime: true });
  if (requested.kind === 'refused') throw new Error(requested.because);
  return requested.request;
}

async function fullTest(world: TestWorld, around: Around = {}) {
  const request = await requestIn(world);
  const lively: Around = {
    ...around,
    async before(step) {
      await world.vote();
      await around.before?.(step);
    },
    async onState(state) {
      if (/^Wait for/.test(state)) await world.finishWhatRuns();
      await around.onState?.(state);
    },
  };
  const result = await runMachine(definition, world, { request }, lively);
  const bytes = await world.ports.reports.get(west, `drills/${request.testId}.json`);
  const holder = (await world.ports.coordination.read())?.holder;
  return { ...result, request, holder, report: bytes && parseFullTestReport(bytes), around: lively };
}

const started = ({ ports }: FailoverWorld) => ports.executions.started.map(({ region, machine }) => `${machine} in ${region}`);
const thereAndBack = [`failover in ${west}`, `failback in ${west}`, `failback in ${east}`];

describe('a full test', () => {
  it('moves there with an approval, stays for ten minutes, comes back, and leaves a replica behind', async () => {
    const world = await testWorld();
    const { end, holder, report } = await fullTest(world);
    expect({ end, holder, says: report?.stoppedBy }).toEqual({ end: 'Full test passed', holder: east });
    expect(started(world)).toEqual(thereAndBack);
    expect(world.ports.executions.started[0]?.input).toMatchObject({
      plan: { kind: 'switchover', needsApproval: true, requestedBy: 'alice' },
    });
    expect(world.ports.executions.started[1]?.input).toMatchObject({ request: { leader: west, oldRegion: east, handOver: true } });
    expect(world.ports.executions.started[2]?.input).toMatchObject({ request: { leader: east, oldRegion: west, handOver: false } });
    const ran = report?.phases.find(({ name }) => name === 'run here');
    expect(Date.parse(ran?.endedAt ?? '') - Date.parse(ran?.startedAt ?? '')).toBeGreaterThanOrEqual(600_000);
    expect(report).toMatchObject({ outcome: 'passed', returned: true, protected: true, movedInEpoch: 8 });
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('goes back at once when the Region that leads for it does not do well, and does not pass', async () => {
    const world = await testWorld();
    let looks = 0;
    const { end, holder, report, states } = await fullTest(world, {
      async before(step) {
        if (step === 'watch-full-test' && ++looks === 3) await world.vote('database/hms');
      },
    });
    expect({ end, holder }).toEqual({ end: 'Full test stopped: look who leads', holder: east });
    expect(states.filter((state) => state === 'Run here and watch')).toHaveLength(3);
    expect(report).toMatchObject({ outcome: 'stopped', returned: true, protected: true });
    expect(report?.stoppedBy).toContain('database/hms unhealthy');
    expect(started(world)).toEqual(thereAndBack);
  });

  it('that nobody approves changes nothing', async () => {
    const world = await testWorld({ move: 'failed' });
    const { end, holder, report } = await fullTest(world);
    expect({ end, holder }).toEqual({ end: 'Full test stopped: look who leads', holder: east });
    expect(report?.stoppedBy).toContain('refused, given up or not answered');
    expect(started(world)).toEqual([`failover in ${west}`]);
  });

  it('is not begun while something is wrong', async () => {
    const world = await testWorld();
    const { end } = await fullTest(world, { before: (step) => (step === 'move-for-full-test' ? world.vote('region') : undefined) });
    expect(end).toBe('Full test stopped: look who leads');
    expect(started(world)).toEqual([]);
  });

  it('a failback that stops is said aloud: the other Region leads', async () => {
    const world = await testWorld({ back: 'failed' });
    const { end, holder, report } = await fullTest(world);
    expect({ end, holder }).toEqual({ end: 'Full test stopped: look who leads', holder: west });
    expect(report).toMatchObject({ outcome: 'stopped', returned: false, protected: false });
    expect(world.ports.notices.published).toMatchObject([{ severity: 2 }]);
  });

  it('whose Region is no replica afterwards has not passed', async () => {
    const world = await testWorld({ protect: 'failed' });
    const { end, report } = await fullTest(world);
    expect(end).toBe('Full test stopped: look who leads');
    expect(report).toMatchObject({ returned: true, protected: false });
  });

  it('a step that fails after the move leads back', async () => {
    const world = await testWorld();
    const { end, holder } = await fullTest(world, {
      before(step) {
        if (step === 'watch-full-test') throw new Error('broken');
      },
    });
    expect({ end, holder }).toEqual({ end: 'Full test stopped: look who leads', holder: east });
  });

  it('dying in any state before the lead is back and started again, it moves there and back once', async () => {
    const { states } = await fullTest(await testWorld());
    const last = states.indexOf('Go back');
    for (const at of new Set(states.map((state) => states.indexOf(state)).filter((index) => index < last))) {
      const world = await testWorld();
      const first = await fullTest(world, { dies: { at, when: 'after' } });
      const { dies: _, ...around } = first.around;
      const again = await runMachine(definition, world, { request: first.request }, around);
      const holder = (await world.ports.coordination.read())?.holder;
      const moves = world.ports.executions.started.filter(({ machine }) => machine === 'failover').length;
      expect({ state: states[at], moves, ended: again.end !== 'died', holder: again.succeeded ? holder : east }).toEqual({
        ...{ state: states[at], moves: 1, ended: true, holder: east },
      });
    }
  });
});
