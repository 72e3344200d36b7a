import { beforeAll, describe, expect, it } from 'vitest';
import { minutes } from '../../functions/common/duration.ts';
import { InvalidInput, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, timestamp } from '../../functions/common/ids.ts';
import type { AutomatedRunbook } from '../../functions/common/incident-policy.ts';
import { RunbookRecord, type RunbookRequest } from '../../functions/incidents/runbooks/models.ts';
import { runByHand } from '../../functions/incidents/runbooks/targets.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { type Definition, parseDefinition } from '../../simulation/machine/definition.ts';
import { east, west } from '../support/failover-world.ts';
import { type Around, runMachine, unpairedActs } from '../support/machine-run.ts';
import { aRunbook, type RunbookWorld, restartOrders, runbookOperations, runbookWorld } from '../support/runbook-world.ts';

let definition: Definition;
beforeAll(() => {
  const machines = synthesizedMachines(runbookOperations(restartOrders));
  definition = parseDefinition(machines.find(({ name }) => name === 'run-runbook')?.definition);
});

const hms = DatabaseId.parse('hms');
const orders = { name: 'orders-api', region: east };

/** Runs the machine as it is deployed; steps run in the Region of the request. */
async function run(world: RunbookWorld, around: Around = {}, request: RunbookRequest = world.request) {
  const result = await runMachine(definition, world, { request }, around);
  return { ...result, record: result.end === 'died' ? undefined : RunbookRecord.parse(result.record) };
}

/** The alarm is well again after the act has been looked at so often. */
const wellAfter = (world: RunbookWorld, looks: number): Around => ({
  before: (step) => {
    if (step === 'await-runbook-effect' && looks-- === 0) world.alarmIs('ok');
  },
});

describe('the machine run-runbook', () => {
  it('restarts a service because of its alarm, and says on the incident that it helped', async () => {
    const world = await runbookWorld();
    const { end, record, states } = await run(world, wellAfter(world, 2));
    expect({ end, status: record?.status }).toEqual({ end: 'It helped', status: 'helped' });
    expect(world.ports.capacity.restarts).toMatchObject([orders]);
    expect(states.filter((state) => state === 'Did it help?')).toHaveLength(3);
    expect(await world.timeline()).toEqual([
      expect.stringContaining(
        'begins to replace every task or instance of orders-api in us-east-1 by a new one, a part at a time (4 of 4 run)',
      ),
      expect.stringContaining('it helped: ServiceDown of orders is well since'),
    ]);
    expect(await world.runs()).toMatchObject([{ runbook: 'mend', target: 'capacity/orders-api', outcome: 'helped' }]);
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('fails where the alarm goes on ringing, tells people, and does not try more often than it may', async () => {
    const world = await runbookWorld(aRunbook(restartOrders.action, { guard: { tries: 1 } }));
    const first = await run(world);
    expect({ end: first.end, succeeded: first.succeeded }).toEqual({ end: 'It did not help', succeeded: false });
    expect(world.ports.notices.published.at(-1)).toMatchObject({ severity: 2, subject: 'Runbook mend: not helped' });
    const again = await run(world, {}, { ...world.request, runId: `${world.incident.id}-2-mend` });
    expect({ end: again.end, says: again.record?.says }).toEqual({
      end: 'It may not run: nothing was done',
      says: 'nothing was done: it has run 1 times within 6 h, and 1 are allowed; the last one did not help',
    });
    expect(world.ports.capacity.restarts).toHaveLength(1);
  });

  const acts: readonly {
    readonly action: AutomatedRunbook['action'];
    readonly did: (world: RunbookWorld) => Promise<unknown>;
    readonly once: unknown;
  }[] = [
    {
      action: { kind: 'scale-out', capacity: 'orders-api', by: 3, atMost: 6 },
      did: async ({ ports }) => (await ports.capacity.describe(orders)).wanted,
      once: 6,
    },
    {
      action: { kind: 'enlarge-storage', database: 'hms', byPercent: 20, atMostGigabytes: 500 },
      did: async ({ ports }) => (await ports.databaseStorage.describe(hms, east)).gigabytes,
      once: 120,
    },
    {
      action: { kind: 'emergency-backup', database: 'hms' },
      did: async ({ ports }) => (await ports.recoveryPoints.list(hms)).map(({ kind, locations }) => [kind, locations.length]),
      once: [['emergency', 1]],
    },
    { action: restartOrders.action, did: async ({ ports }) => ports.capacity.restarts.length, once: 1 },
  ];
  it.each(acts)('does $action.kind once, wherever it dies and is run again', async ({ action, did, once }) => {
    const runbook = aRunbook(action, { helpsWithin: minutes(30) });
    const whole = await run(await runbookWorld(runbook), {});
    const last = whole.states.indexOf('Did it help?');
    expect(last).toBeGreaterThan(0);
    let deaths = 0;
    for (let at = 0; at <= last; at++) {
      for (const when of ['before', 'after'] as const) {
        const world = await runbookWorld(runbook);
        // Choices are over before anything could die in them.
        if ((await run(world, { dies: { at, when } })).end !== 'died') continue;
        deaths += 1;
        const { end } = await run(world, wellAfter(world, 0));
        expect({ at, when, end, did: await did(world) }).toEqual({ at, when, end: 'It helped', did: once });
        expect(await world.runs()).toMatchObject([{ outcome: 'helped' }]);
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(8);
  });

  it('never ends well where a step fails for good, and says so wherever it can', async () => {
    const asked = aRunbook(restartOrders.action, { guard: { approval: true } });
    const steps = ['check-runbook', 'begin-runbook', 'perform-runbook', 'await-runbook-effect', 'ask-for-runbook', 'await-runbook-answer'];
    for (const failing of steps) {
      const world = await runbookWorld(failing.includes('a') && /ask|answer/.test(failing) ? asked : restartOrders);
      const { end, succeeded } = await run(world, {
        before: (step) => {
          if (step === failing) throw new InvalidInput('it broke');
        },
      });
      expect({ failing, end, succeeded }).toEqual({ failing, end: 'It failed', succeeded: false });
      expect((await world.timeline()).at(-1)).toContain('it failed: InvalidInput: it broke');
      expect(world.ports.notices.published.at(-1)?.subject).toBe('Runbook mend: failed');
      expect((await world.runs()).filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
    }
    const world = await runbookWorld();
    const { end } = await run(world, {
      before: (step) => {
        if (step === 'report-runbook') throw new ServiceUnavailable('nobody listens');
      },
    });
    expect(end).toBe('Nobody was told');
  });

  it('acts in the database through the step that can reach it', async () => {
    const world = await runbookWorld(aRunbook({ kind: 'end-long-queries', database: 'hms', olderThan: minutes(5) }));
    const did = 'ended 2 statements of hms in us-east-1';
    const { end, states } = await run(world, {
      ...wellAfter(world, 0),
      instead: { 'end-long-queries': (record) => ({ ...record, status: 'acted', did, actedAt: timestamp(world.clock.now()) }) },
    });
    expect({ end, there: states.includes('Do it in the database'), here: states.includes('Do it') }).toEqual({
      end: 'It helped',
      there: true,
      here: false,
    });
    expect((await world.timeline()).at(-1)).toContain(`${did}; it helped`);
  });
});

describe('before it acts', () => {
  const refusal = async (world: RunbookWorld, around: Around = {}, request = world.request) => {
    const { end, record } = await run(world, around, request);
    expect({ end, restarts: world.ports.capacity.restarts }).toEqual({ end: 'It may not run: nothing was done', restarts: [] });
    return record?.says;
  };
  const hold = (world: RunbookWorld) => ({
    ...{ until: timestamp(new Date(world.clock.now().getTime() + 3_600_000)), by: 'alice', reason: 'a new switch' },
    at: timestamp(world.clock.now()),
  });

  it('looks whether somebody holds everything, up to the act itself', async () => {
    for (const at of ['check-runbook', 'begin-runbook', 'perform-runbook']) {
      const world = await runbookWorld();
      const put: Around = { before: async (step) => void (step === at && (await world.ports.coordination.putHold(hold(world)))) };
      expect(await refusal(world, put)).toContain('alice holds it');
      expect((await world.timeline()).at(-1)).toContain('alice holds it');
    }
  });

  it('leaves alone what is well by then, and what is another generation’s', async () => {
    const world = await runbookWorld();
    const stored = await world.ports.incidents.get(world.incident.id);
    if (!stored) throw new Error('no incident');
    await world.ports.incidents.update({ ...stored, troubles: stored.troubles.map((trouble) => ({ ...trouble, status: 'resolved' })) });
    expect(await refusal(world)).toContain('ServiceDown is well already');
    const raised = await runbookWorld();
    await raised.ports.incidents.update({ ...raised.incident, generation: 2 });
    expect(await refusal(raised)).toContain('its generation 2 has runs of its own');
  });

  it('does not act in another Region', async () => {
    const world = await runbookWorld();
    expect(await refusal(world, {}, { ...world.request, region: west })).toContain('us-west-2 mends itself');
  });

  it('lets one of two begin that want to at once', async () => {
    const wide = aRunbook({ kind: 'restart-service', capacity: 'orders-api' }, { id: 'wide' });
    const world = await runbookWorld(restartOrders, wide);
    const [one, two] = world.requests;
    if (!one || !two) throw new Error('both runbooks are asked for');
    const begun = await Promise.all(
      [one, two].map(async (request) => RunbookRecord.parse(await world.step('begin-runbook', { request, status: 'may' }))),
    );
    expect(begun.map(({ status }) => status).sort()).toEqual(['act', 'refused']);
    expect(await world.runs()).toHaveLength(1);
  });
});

describe('where a human must agree', () => {
  const asked = aRunbook(restartOrders.action, { guard: { approval: true } });
  const answering = (world: RunbookWorld, answer: 'approved' | 'rejected', by = 'bob', looks = 2): Around => ({
    before: async (step) => {
      if (step === 'await-runbook-answer' && looks-- === 0) {
        const [request] = await world.ports.coordination.runbookRequests();
        if (!request) throw new Error('nobody asked');
        await world.ports.coordination.answer({ hash: request.hash, answer, by, at: timestamp(world.clock.now()) });
      }
      if (step === 'await-runbook-effect') world.alarmIs('ok');
    },
  });

  it('waits for the answer, and acts after a yes', async () => {
    const world = await runbookWorld(asked);
    const { end } = await run(world, answering(world, 'approved'));
    expect(end).toBe('It helped');
    expect(world.ports.notices.published[0]?.text).toMatch(/codeblue incident runbook mend --approve [0-9a-f]{16}/);
    expect(await world.ports.coordination.requests()).toEqual([]); // who moves the lead sees no question of a runbook
  });

  it.each([
    ['nobody answers', {}, 'nobody’s answer'],
    ['somebody says no', { answer: 'rejected' as const }, 'rejected by bob'],
    ['somebody answers who may not', { by: 'mallory' }, 'mallory is not listed'],
  ])('does nothing when %s', async (_, { answer = 'approved', by = 'bob' }: { answer?: 'approved' | 'rejected'; by?: string }, says) => {
    const world = await runbookWorld(asked);
    const { end, record } = await run(world, says.startsWith('nobody') ? {} : answering(world, answer, by));
    expect({ end, restarts: world.ports.capacity.restarts }).toEqual({ end: 'It may not run: nothing was done', restarts: [] });
    expect(record?.says).toContain(says.replace('’', "'"));
  });

  it('does not rely on the way that the machine came: without an answer nothing begins', async () => {
    const world = await runbookWorld(asked);
    const record = RunbookRecord.parse(await world.step('begin-runbook', { request: world.request, status: 'approved' }));
    expect({ status: record.status, says: record.says }).toEqual({ status: 'refused', says: 'nobody was asked' });
  });

  it('whoever asked for it by hand does not approve it', async () => {
    const world = await runbookWorld(asked);
    const request = runByHand(asked, { region: east, requestedBy: 'bob', now: world.clock.now() });
    const { record } = await run(world, answering(world, 'approved', 'bob'), request);
    expect(record?.says).toContain('nobody approves their own request');
  });
});
