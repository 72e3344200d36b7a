import { beforeAll, describe, expect, it } from 'vitest';
import { DatabaseId } from '../../functions/common/ids.ts';
import { CoordinationRecord, Epoch, FailoverPlan } from '../../functions/failover/models.ts';
import type { RecoveryRequest } from '../../functions/failover/recovery/models.ts';
import { parseRecoveryReport, recoveryStem } from '../../functions/failover/recovery/recovery-report.ts';
import { requestRecovery } from '../../functions/failover/recovery/request-recovery.ts';
import type { ExecutionRef } from '../../functions/maintenance/ports.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import type { Definition } from '../../simulation/machine/definition.ts';
import { east, type FailoverWorld, failoverWorld, west } from '../support/failover-world.ts';
import { type Around, deployedMachine, runMachine, unpairedActs } from '../support/machine-run.ts';

let definition: Definition;
beforeAll(() => {
  definition = deployedMachine('recover-database');
});

const hms = DatabaseId.parse('hms');
const passing = ['identity', 'window', 'schema', 'foreign-keys', 'indexes', 'constraints', 'sequences'].map((id) => ({
  ...{ id, says: id, result: 'passed' as const, findings: [] },
}));

type How = 'done' | 'refused' | 'rolled-back' | 'promoting' | 'never';
interface Ends {
  readonly failover?: How;
  readonly failback?: 'done' | 'failed' | 'never';
}

/** The machines that it starts do what they are for as soon as it waits for them, unless `ends` says otherwise. */
async function recoveryWorld(ends: Ends = {}) {
  const world = await failoverWorld();
  const { executions, coordination, replicas } = world.ports;
  const { describe: asStarted } = executions;
  const ended = new Map<string, 'succeeded' | 'failed'>();
  executions.describe = async (ref: ExecutionRef) => {
    const status = ended.get(`${ref.machine}/${ref.name}`);
    return status ? { status } : asStarted(ref);
  };
  const change = async (facts: Partial<CoordinationRecord>) => {
    const record = await coordination.read();
    if (!record) throw new Error('no record');
    const { plan: _, ...rest } = record;
    await coordination.replace(CoordinationRecord.parse({ ...rest, ...facts }));
  };
  async function exchange(plan: FailoverPlan, how: How): Promise<'succeeded' | 'failed' | undefined> {
    const { epoch, replacement } = plan;
    if (how === 'never') return undefined;
    if (how === 'refused') return 'failed';
    if (how === 'rolled-back') {
      await change({ epoch: Epoch.parse(epoch + 1) });
      return 'failed';
    }
    await change({ epoch, phase: 'promoting', plan });
    if (how === 'promoting' || !replacement) return 'failed';
    const swap = { databaseId: replacement.databaseId, region: east, restoredId: replacement.restoredId, epoch };
    while ((await replicas.swapIn(swap)).status !== 'available') world.clock.advance(30);
    await change({ epoch, phase: 'active' });
    return 'succeeded';
  }
  async function finishWhatRuns(): Promise<void> {
    for (const { machine, name, input } of executions.started) {
      const key = `${machine}/${name}`;
      if (ended.has(key)) continue;
      if (machine === 'failover') {
        const { plan } = input as { readonly plan: unknown };
        const status = await exchange(FailoverPlan.parse(plan), ends.failover ?? 'done');
        if (status) ended.set(key, status);
      } else if (ends.failback !== 'never') ended.set(key, ends.failback === 'failed' ? 'failed' : 'succeeded');
    }
  }
  /** Its steps run in the Region that leads. */
  const step: FailoverWorld['step'] = (name, record) => world.step(name, record, east);
  return { ...world, step, finishWhatRuns, change };
}
type RecoveryWorld = Awaited<ReturnType<typeof recoveryWorld>>;

async function requestIn({ operations, ports, clock }: RecoveryWorld, minutesAgo = 30): Promise<RecoveryRequest> {
  const [record, hold] = [await ports.coordination.read(), await ports.coordination.hold()];
  const now = clock.now();
  const until = new Date(now.getTime() - minutesAgo * 60_000);
  const requested = requestRecovery({
    ...{ operations, record, hold, databaseId: hms, until, requestedBy: 'alice', reason: 'an update without a where', now },
  });
  if (requested.kind === 'refused') throw new Error(requested.because);
  return requested.request;
}

const soundCopy: Around['instead'] = {
  'compare-content': (given) => {
    const record = VerificationRecord.parse(given);
    return { ...record, checks: [...record.checks, ...passing], measured: { ...record.measured, lossSeconds: 12, tables: 9, rows: 1000 } };
  },
};

async function recover(world: RecoveryWorld, around: Around = {}, request?: RecoveryRequest) {
  const asked = request ?? (await requestIn(world));
  const lively: Around = {
    ...around,
    instead: { ...soundCopy, ...around.instead },
    async onState(state) {
      if (/^Wait for the (exchange|replica)/.test(state)) await world.finishWhatRuns();
      await around.onState?.(state);
    },
  };
  const result = await runMachine(definition, world, { request: asked }, lively);
  const bytes = await world.ports.reports.get(east, `${recoveryStem(asked)}.json`);
  return { ...result, request: asked, report: bytes && parseRecoveryReport(bytes), around: lively };
}

const started = ({ ports }: RecoveryWorld) => ports.executions.started.map(({ region, machine }) => `${machine} in ${region}`);
const copies = async ({ ports, clock }: RecoveryWorld) => {
  clock.advance(600);
  return (await ports.databases.listRestored(east)).map(({ restoredId }) => restoredId);
};
const asItWas = 'Not recovered: the database is as it was';
const leads = async ({ ports }: RecoveryWorld) => {
  const record = await ports.coordination.read();
  return `${record?.phase} ${record?.epoch} ${record?.holder}`;
};

describe('a recovery', () => {
  it('keeps what there is, restores the second, asks for the exchange, and rebuilds the replica', async () => {
    const world = await recoveryWorld();
    const { end, request, report } = await recover(world);
    expect({ end, says: report?.stoppedBy, leads: await leads(world) }).toEqual({ end: 'Recovered', leads: `active 8 ${east}` });
    expect(started(world)).toEqual([`failover in ${east}`, `failback in ${east}`]);
    expect(world.ports.executions.started[0]?.input).toMatchObject({
      plan: {
        ...{ kind: 'replace', from: east, to: east, epoch: 8, needsApproval: true, requestedBy: 'alice' },
        reason: `recovery ${request.recoveryId}: an update without a where`,
        replacement: { databaseId: hms, restoredTo: request.until, verdict: expect.stringContaining('newest canary is 12 s older') },
      },
    });
    expect(world.ports.executions.started[1]?.input).toMatchObject({ request: { leader: east, oldRegion: west, handOver: false } });
    expect(report).toMatchObject({ outcome: 'recovered', epoch: 8, clean: { method: 'transaction-log', restoredTo: request.until } });
    expect(await world.ports.recoveryPoints.get(report?.keptAs ?? ('' as never))).toMatchObject({ kind: 'emergency', databaseId: hms });
    expect(world.ports.replicas.keptAside(east)).toEqual(['hms-primary-damaged-8']);
    expect(await world.ports.coordination.hold()).toBeUndefined();
    expect(world.ports.notices.published).toMatchObject([{ severity: 3 }]);
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('holds everything until the exchange is asked for', async () => {
    const world = await recoveryWorld();
    const held: string[] = [];
    const { request } = await recover(world, {
      async before(step) {
        const hold = await world.ports.coordination.hold();
        if (hold) held.push(`${step} ${hold.by}`);
      },
    });
    expect(held).toContain(`keep-damaged-database ${request.recoveryId}`);
    expect(held).toContain(`start-replacement ${request.recoveryId}`);
    expect(held.filter((each) => each.startsWith('await-replacement'))).toEqual([]);
  });

  it('waits for the transaction log, and takes what there is when no more of it comes', async () => {
    const world = await recoveryWorld();
    const late = new Date(world.clock.now().getTime() - 300_000);
    world.ports.databases.setLive(hms, east, { latestRestorableAt: late });
    let waits = 0;
    const { end, report, request } = await recover(
      world,
      {
        onState(state) {
          if (state === 'Wait for the transaction log' && ++waits === 3) {
            world.ports.databases.setLive(hms, east, { latestRestorableAt: world.clock.now() });
          }
        },
      },
      await requestIn(world, 1),
    );
    expect({ end, waits }).toEqual({ end: 'Recovered', waits: 3 });
    expect(report?.clean?.restoredTo).toBe(request.until);

    const dead = await recoveryWorld();
    const latest = new Date(dead.clock.now().getTime() - 300_000);
    const { databases } = dead.ports;
    databases.setLive(hms, east, { latestRestorableAt: latest });
    const last = await recover(dead, {}, await requestIn(dead, 1));
    expect(last.end).toBe('Recovered');
    expect(last.report?.clean).toMatchObject({ method: 'transaction-log', restoredTo: latest.toISOString() });
  });

  it.each([
    ['nobody approves', 'refused', `active 7 ${east}`],
    ['the exchange is given back', 'rolled-back', `active 9 ${east}`],
  ] as const)('that %s leaves everything as it was, and removes the copy', async (_, failover, expected) => {
    const world = await recoveryWorld({ failover });
    const { end, report } = await recover(world);
    expect({ end, leads: await leads(world), copies: await copies(world) }).toEqual({ end: asItWas, leads: expected, copies: [] });
    expect(report).toMatchObject({
      outcome: 'as-it-was',
      copyRemoved: true,
      stoppedBy: expect.stringContaining('refused, given up or not answered'),
    });
    expect(world.ports.replicas.keptAside(east)).toEqual([]);
    expect(await world.ports.coordination.hold()).toBeUndefined();
    expect(world.ports.notices.published).toMatchObject([{ severity: 2 }]);
  });

  it('removes nothing while the exchange may still go on, and calls people', async () => {
    const world = await recoveryWorld({ failover: 'promoting' });
    const { end, report } = await recover(world);
    expect({ end, outcome: report?.outcome }).toEqual({ end: 'The exchange is not over: look who leads', outcome: 'unclear' });
    expect(await copies(world)).toHaveLength(1);
    expect(world.ports.notices.published).toMatchObject([{ severity: 1 }]);
  });

  it('whose replica cannot be rebuilt says so', async () => {
    const world = await recoveryWorld({ failback: 'failed' });
    const { end, report } = await recover(world);
    expect(end).toBe('Recovered, but without a replica');
    expect(report).toMatchObject({ outcome: 'unprotected', epoch: 8, stoppedBy: expect.stringContaining('FailbackStuck') });
  });

  it('of a copy that is not sound goes no further', async () => {
    const world = await recoveryWorld();
    const unsound = { id: 'foreign-keys', says: '', result: 'failed' as const, findings: ['orders: 3 rows point nowhere'] };
    const { end, report } = await recover(world, {
      instead: { 'compare-content': (given) => ({ ...given, checks: [...passing.filter(({ id }) => id !== 'foreign-keys'), unsound] }) },
    });
    expect({ end, started: started(world), copies: await copies(world) }).toEqual({ end: asItWas, started: [], copies: [] });
    expect(report?.stoppedBy).toContain('orders: 3 rows point nowhere');
  });

  it('of a copy that was asked no questions goes no further', async () => {
    const world = await recoveryWorld();
    const { end } = await recover(world, { instead: { 'compare-content': (given) => given } });
    expect({ end, started: started(world) }).toEqual({ end: asItWas, started: [] });
  });

  it('does not touch a hold of somebody else, and does nothing during one', async () => {
    const world = await recoveryWorld();
    const request = await requestIn(world);
    const hold = { until: '2026-11-22T12:00:00.000Z' as never, by: 'bob', reason: 'maintenance', at: '2026-11-21T11:00:00.000Z' as never };
    await world.ports.coordination.putHold(hold);
    const { end, report } = await recover(world, {}, request);
    expect({ end, stoppedBy: report?.stoppedBy }).toMatchObject({ end: asItWas, stoppedBy: expect.stringContaining('bob holds it') });
    expect(await world.ports.coordination.hold()).toEqual(hold);
    expect(await world.ports.databases.listSnapshots(east)).toEqual([]);
  });

  it('does not give up on an exchange that Step Functions took and does not show yet', async () => {
    const world = await recoveryWorld();
    const { executions } = world.ports;
    const { describe: shown } = executions;
    let looks = 0;
    executions.describe = async (ref) => (ref.machine === 'failover' && looks <= 3 ? undefined : shown(ref));
    const finishWhatRuns = async () => (looks < 3 ? undefined : world.finishWhatRuns());
    const { end } = await recover(
      { ...world, finishWhatRuns },
      {
        before(step) {
          if (step === 'await-replacement') looks++;
        },
      },
    );
    expect({ end, looks: looks > 3 }).toEqual({ end: 'Recovered', looks: true });
    expect(started(world)).toEqual([`failover in ${east}`, `failback in ${east}`]);
  });

  it('ends when the lead moves before the exchange', async () => {
    const world = await recoveryWorld();
    const { end, report } = await recover(world, {
      before: (step) => (step === 'prepare-replacement' ? world.change({ epoch: Epoch.parse(8), holder: west }) : undefined),
    });
    expect({ end, started: started(world), copies: await copies(world) }).toEqual({ end: asItWas, started: [], copies: [] });
    expect(report?.stoppedBy).toContain(`epoch 8 is active for ${west}`);
  });
});

describe('when a state fails or its execution dies', () => {
  const steps = [
    ...['hold-for-recovery', 'keep-damaged-database', 'find-clean-state', 'check-integrity', 'start-restore', 'await-restore'],
    ...['compare-content', 'judge-restored-copy', 'prepare-replacement', 'start-replacement', 'await-replacement'],
    ...['protect-after-recovery', 'await-recovery-protection', 'report-recovery'],
  ];
  it.each(steps)('%s that never works ends as a failure, with nothing left that is not said', async (broken) => {
    const world = await recoveryWorld();
    const { end, succeeded, report } = await recover(world, {
      before(step) {
        if (step === broken) throw new Error('broken');
      },
    });
    expect({ broken, succeeded }).toEqual({ broken, succeeded: false });
    const replaced = (await leads(world)) === `active 8 ${east}`;
    const expected = broken === 'report-recovery' ? 'Recovery not reported' : replaced ? 'Recovered, but without a replica' : asItWas;
    expect({ broken, end }).toEqual({ broken, end: expected });
    if (!replaced) expect(await copies(world)).toEqual([]);
    if (broken !== 'report-recovery') expect(report?.stoppedBy).toContain('broken');
    expect(await world.ports.coordination.hold()).toBeUndefined();
  });

  it.each(['start-teardown', 'await-teardown', 'give-up-recovery'])('%s that never works on the way back is said aloud', async (broken) => {
    const world = await recoveryWorld({ failover: 'refused' });
    const { end, report } = await recover(world, {
      before(step) {
        if (step === broken) throw new Error('broken');
      },
    });
    expect({ end, copyRemoved: report?.copyRemoved }).toEqual({ end: asItWas, copyRemoved: false });
    expect(world.ports.notices.published).toMatchObject([{ severity: 2, text: expect.stringContaining('broken') }]);
  });

  it('gives up only once it is certain that nobody puts the copy in the place', async () => {
    const world = await recoveryWorld({ failover: 'never' });
    const { end } = await recover(world, {
      before(step) {
        if (step === 'await-replacement') throw new Error('broken');
      },
    });
    expect({ end, copies: (await copies(world)).length }).toEqual({ end: 'The exchange is not over: look who leads', copies: 1 });
  });

  it('each step may run twice: the end is the same', async () => {
    let steps = 0;
    const counted = await recoveryWorld();
    const counting: FailoverWorld['step'] = (name, record) => {
      steps++;
      return counted.step(name, record);
    };
    await recover({ ...counted, step: counting });
    expect(steps).toBeGreaterThan(15);
    for (let at = 0; at < steps; at++) {
      const world = await recoveryWorld();
      let calls = 0;
      let doubled = '';
      const step: FailoverWorld['step'] = async (name, record) => {
        if (calls++ === at) {
          doubled = name;
          await world.step(name, record); // nobody heard the answer
        }
        return world.step(name, record);
      };
      const { end, report } = await recover({ ...world, step });
      const exchanges = [`failover in ${east}`, `failback in ${east}`];
      expect({ doubled, end, started: started(world), copies: await copies(world) }).toEqual({
        ...{ doubled, end: 'Recovered', started: exchanges, copies: [] },
      });
      expect(report?.outcome).toBe('recovered');
      expect(await world.ports.databases.listSnapshots(east)).toHaveLength(1);
      expect(world.ports.notices.published).toHaveLength(1);
    }
  });
});
