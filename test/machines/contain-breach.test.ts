import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalText } from '../../functions/common/canonical-json.ts';
import { NotFound, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, type Region, timestamp } from '../../functions/common/ids.ts';
import { manifestKey, partsOfKey, reportStem } from '../../functions/failover/breach/evidence-objects.ts';
import { BreachRecord, type BreachRequest } from '../../functions/failover/breach/models.ts';
import { requestBreach } from '../../functions/failover/breach/request-breach.ts';
import { sha256Hex } from '../../functions/verify/proof.ts';
import type { Definition } from '../../simulation/machine/definition.ts';
import { east, type FailoverWorld, failoverWorld, movableOperations, tertiary, west } from '../support/failover-world.ts';
import { type Around, deployedMachine, runMachine, unpairedActs } from '../support/machine-run.ts';

let definition: Definition;
beforeAll(() => {
  definition = deployedMachine('contain-breach');
});

const hms = DatabaseId.parse('hms');
const billing = DatabaseId.parse('billing');
const trail = '/aws/cloudtrail/main';
const orders = '/hms/orders';
const guardian = '/aws/lambda/hms-codeblue-guard-lease';
/** A name that somebody's software logged: it belongs into the locked objects and nowhere else. */
const patient = 'Ada Lovelace 1815-12-10';

const operationsWith = (change: Partial<ReturnType<typeof movableOperations>> = {}, logGroups = { [east]: [trail, orders] }) => {
  const operations = movableOperations({ evidence: { logGroups } });
  return { ...operations, vaultLock: { ...operations.vaultLock, mode: 'compliance' as const }, ...change };
};

/** The primary Region leads, and there are logs in all three: five events of the orders, some of the trail, and guardians'. */
async function worldWith(operations = operationsWith()): Promise<FailoverWorld> {
  const world = await failoverWorld({ operations });
  const log = (region: Region, group: string, ...hoursAgo: readonly number[]) =>
    world.ports.evidenceLogs.add(
      region,
      group,
      ...hoursAgo.map((hours) => ({
        id: `${region}${group}-${hours}`,
        at: timestamp(new Date(world.clock.now().getTime() - hours * 3_600_000)),
        stream: 'task/1',
        message: `read ${patient} ${hours}`,
      })),
    );
  log(east, orders, 30, 23, 5, 4, 3, 2);
  log(east, trail, 25, 1);
  for (const region of [east, west, tertiary]) log(region, guardian, 1);
  return { ...world, step: (name, record, region = east) => world.step(name, record, region) };
}

type Recover = NonNullable<Parameters<typeof requestBreach>[0]['recover']>;

async function requestIn({ operations, ports, clock }: FailoverWorld, recover?: Recover): Promise<BreachRequest> {
  const requested = requestBreach({
    ...{
      operations,
      record: await ports.coordination.read(),
      requestedBy: 'alice',
      reason: 'a key of ours was found outside',
      now: clock.now(),
    },
    ...(recover ? { recover } : {}),
  });
  if (requested.kind === 'refused') throw new Error(requested.because);
  return requested.request;
}

async function contain(
  world: FailoverWorld,
  around: Around = {},
  given: { readonly recover?: Recover; readonly request?: BreachRequest } = {},
) {
  const request = given.request ?? (await requestIn(world, given.recover));
  const result = await runMachine(definition, world, { request }, around);
  return { ...result, request, record: result.end === 'died' ? undefined : BreachRecord.parse(result.record) };
}

const Manifest = z.object({
  objects: z.array(z.object({ key: z.string(), sha256: z.string() })),
  groups: z.array(z.object({ name: z.string(), region: z.string(), events: z.number(), status: z.string() })),
  window: z.object({ from: z.string(), until: z.string() }),
});

/** The evidence as somebody checks it who has the manifest's SHA-256 and nothing else of ours. */
async function evidenceOf({ ports }: FailoverWorld, request: BreachRequest, sha256: string | undefined) {
  const bytes = await ports.reports.get(east, manifestKey(request));
  if (!bytes) throw new Error('there is no manifest');
  expect(sha256Hex(bytes)).toBe(sha256);
  const text = Buffer.from(bytes).toString('utf8');
  expect(text).toBe(canonicalText(JSON.parse(text)));
  const manifest = Manifest.parse(JSON.parse(text));
  const ids: string[] = [];
  for (const { key, sha256: ofObject } of manifest.objects) {
    const object = await ports.reports.get(east, key);
    expect({ key, sha256: object && sha256Hex(object) }).toEqual({ key, sha256: ofObject });
    const lines = gunzipSync(object ?? new Uint8Array())
      .toString('utf8')
      .trimEnd()
      .split('\n');
    const group = manifest.groups[partsOfKey(key)?.group ?? -1];
    for (const line of lines) {
      const event = z.object({ id: z.string(), message: z.string() }).parse(JSON.parse(line));
      expect(event.id.startsWith(`${group?.region}${group?.name}-`)).toBe(true);
      expect(event.message).toContain(patient);
      ids.push(event.id);
    }
  }
  return { manifest, ids: [...new Set(ids)].sort() };
}

/** Everything since a day before the declaration, of every Region. */
const wanted = [
  ...[23, 5, 4, 3, 2].map((hours) => `${east}${orders}-${hours}`),
  `${east}${trail}-1`,
  ...[east, west, tertiary].map((region) => `${region}${guardian}-1`),
].sort();

const isShut = ({ ports }: FailoverWorld) =>
  [east, west].flatMap((region) => [hms, billing].map((databaseId) => ports.networkFence.isIsolated(databaseId, region)));
const everythingShut = [true, true, true, true];

describe('a breach', () => {
  it('is held, shut out in both Regions, kept, told and reported', async () => {
    const world = await worldWith();
    const { end, states, record, request } = await contain(world);
    expect({ end, gaps: record?.gaps }).toEqual({ end: 'Contained', gaps: [] });
    expect([...new Set(states)].filter((state) => !/^(Wait|Is |Go on|Stored,|Try)/.test(state))).toEqual([
      ...['Hold everything', 'Shut the application out', 'Take snapshots as it is', 'Tell people', 'Let the last log lines arrive'],
      ...['Export the logs', 'Are the snapshots locked away?', 'Seal the evidence', 'Report', 'Contained'],
    ]);
    expect(isShut(world)).toEqual(everythingShut);
    expect(await world.ports.coordination.containment()).toEqual({ breachId: request.breachId, by: 'alice', since: request.declaredAt });
    expect(await world.ports.coordination.hold()).toMatchObject({ by: request.breachId, until: '2026-11-28T12:00:00.000Z' });
    for (const { databaseId, recoveryPointId } of record?.databases ?? []) {
      expect(await world.ports.databases.describeSnapshot({ region: east, snapshotId: recoveryPointId })).toMatchObject({
        status: 'available',
      });
      expect(await world.ports.recoveryPoints.get(recoveryPointId)).toMatchObject({ kind: 'emergency', databaseId });
      expect(await world.ports.vault.list(east, databaseId)).toMatchObject([{ status: 'available' }]);
    }
    expect(await unpairedActs(world)).toEqual([]);
  });

  it('leaves evidence that can be checked with one number: every event of the time, of every Region, and no other', async () => {
    const world = await worldWith();
    const { record, request } = await contain(world);
    const { ids, manifest } = await evidenceOf(world, request, record?.sealed?.sha256);
    expect(ids).toEqual(wanted);
    expect(manifest.window).toEqual({ from: '2026-11-20T12:00:00.000Z', until: record?.logs?.until });
    const audit = await world.ports.auditLog.recent(new Date(0), 10_000);
    expect(audit.find(({ action }) => action === 'seal-evidence')?.details).toMatchObject({ sha256: record?.sealed?.sha256, events: 9 });
  });

  it('puts what was logged into those objects and nowhere else', async () => {
    const world = await worldWith();
    const { record, request } = await contain(world);
    const report = await world.ports.reports.get(east, `${reportStem(request)}.md`);
    const elsewhere = [
      record,
      world.ports.notices.published,
      await world.ports.auditLog.recent(new Date(0), 10_000),
      Buffer.from(report ?? []).toString(),
    ];
    expect(JSON.stringify(elsewhere)).not.toContain('Ada');
    // Nor the reason, which somebody wrote in a hurry, into mail.
    expect(JSON.stringify(world.ports.notices.published)).not.toContain(request.reason);
  });

  it('is told at once, with the times in which others must be told', async () => {
    const world = await worldWith();
    const { request } = await contain(world);
    const [first, last] = world.ports.notices.published;
    expect(first).toMatchObject({ region: east, severity: 1, subject: `A breach is being contained: ${request.breachId}` });
    expect(first?.text).toContain('2026-11-24T12:00:00.000Z (GDPR article 33)');
    expect(first?.text).toContain('2027-01-20T12:00:00.000Z (HIPAA');
    expect(first?.text).toContain(`hms in ${west}`);
    expect(last).toMatchObject({ severity: 3, subject: `${request.breachId} is contained` });
    expect(world.ports.metrics.latest('BreachesDeclared', { Region: east })).toBe(1);
  });

  it('says of copies that are not locked that they are not', async () => {
    const base = movableOperations();
    const text = async (mode: 'simulate' | 'compliance') => {
      const world = await worldWith(operationsWith({ vaultLock: { ...base.vaultLock, mode } }));
      const { request, end } = await contain(world);
      return `${end}\n${Buffer.from((await world.ports.reports.get(east, `${reportStem(request)}.md`)) ?? []).toString()}`;
    };
    expect(await text('simulate')).toMatch(
      /^Contained, and something is not kept\n.*the copy of hms in the vault is not locked.*NOT LOCKED/s,
    );
    expect(await text('compliance')).toMatch(/\| hms \| cb-hms-emergency-\w+ \| available \| available \| 2026-12-21T/);
  });

  it('takes the place of a hold that somebody put before', async () => {
    const world = await worldWith();
    const at = timestamp(world.clock.now());
    await world.ports.coordination.putHold({
      until: timestamp(new Date(world.clock.now().getTime() + 3_600_000)),
      by: 'bob',
      reason: 'incident',
      at,
    });
    const { end, request } = await contain(world);
    expect(end).toBe('Contained');
    expect((await world.ports.coordination.hold())?.by).toBe(request.breachId);
    const audit = await world.ports.auditLog.recent(new Date(0), 10_000);
    expect(audit.find(({ action }) => action === 'contain-breach')?.details).toMatchObject({ inPlaceOf: 'bob' });
  });
});

describe('what cannot be done is told, and keeps nothing else from being done', () => {
  it('a log group of the config that is not there', async () => {
    const world = await worldWith(operationsWith({}, { [east]: [trail, orders, '/hms/gone'] }));
    const { end, record, request } = await contain(world);
    expect({ end, gaps: record?.gaps }).toEqual({
      end: 'Contained, and something is not kept',
      gaps: [`the log group /hms/gone in ${east} is not there`],
    });
    expect((await evidenceOf(world, request, record?.sealed?.sha256)).ids).toEqual(wanted);
    expect(world.ports.notices.published.at(-1)).toMatchObject({ severity: 2 });
  });

  it('a database whose network cannot be changed: the others are shut, and it ends as NOT contained', async () => {
    const world = await worldWith();
    const { end, record, request } = await contain(world, {
      before(step) {
        // The first that is asked for, and the only one from then on.
        if (step === 'shut-out-application') world.ports.networkFence.failNext('isolate', new ServiceUnavailable('no route to EC2'));
      },
    });
    expect(end).toBe('NOT contained: shut it by hand');
    expect(isShut(world)).toEqual([false, true, true, true]);
    expect(record?.gaps).toEqual([`hms in ${east} is NOT shut: no route to EC2`]);
    expect((await evidenceOf(world, request, record?.sealed?.sha256)).ids).toEqual(wanted);
    expect(world.ports.notices.published.map(({ severity }) => severity)).toEqual([1, 1]);
    expect(world.ports.notices.published[0]?.text).toContain(`NOT DONE: hms in ${east} is NOT shut`);
  });

  it.each([
    ['a replica that is not there leaves nothing open', west, 'Contained'],
    ['a live database that is not found does', east, 'NOT contained: shut it by hand'],
  ])('%s', async (_, missing, ending) => {
    const world = await worldWith();
    const { isolate } = world.ports.networkFence;
    world.ports.networkFence.isolate = (databaseId, region) =>
      databaseId === hms && region === missing ? Promise.reject(new NotFound('there is no such instance')) : isolate(databaseId, region);
    const { end } = await contain(world);
    expect(end).toBe(ending);
  });

  it('the coordination table answers nobody: the application is shut out all the same', async () => {
    const world = await worldWith();
    const request = await requestIn(world);
    const { end, record } = await contain(
      world,
      {
        before(step) {
          world.ports.coordination.setAvailable(step !== 'hold-for-breach' && step !== 'shut-out-application');
        },
      },
      { request },
    );
    expect(end).toBe('NOT contained: shut it by hand');
    expect(record?.failure).toBeDefined();
    expect(record?.heldAt).toBeUndefined();
    expect(record?.databases).toHaveLength(2);
    expect((await evidenceOf(world, request, record?.sealed?.sha256)).ids).toEqual(wanted);
  });

  it('a snapshot that the service does not begin at first, and one that fails', async () => {
    const world = await worldWith();
    world.ports.databases.failNext('createSnapshot', new ServiceUnavailable('it is backing up'));
    const { record, end } = await contain(world, {
      before(step) {
        const snapshotId = 'cb-billing-emergency-20261121t120000z';
        if (step === 'await-evidence')
          world.ports.databases.setSnapshot({ region: east, snapshotId }, { databaseId: billing, failed: true });
      },
    });
    expect(end).toBe('Contained, and something is not kept');
    expect(record?.gaps).toEqual(['the snapshot cb-billing-emergency-20261121t120000z failed']);
    expect(record?.databases.map(({ status, locked }) => [status, locked?.status])).toEqual([
      ['available', 'available'],
      ['failed', 'available'],
    ]);
  });

  it('a Region whose logs cannot be read: those of the others are kept', async () => {
    const world = await worldWith();
    const { page } = world.ports.evidenceLogs;
    world.ports.evidenceLogs.page = async (request) => {
      if (request.region === west) throw new ServiceUnavailable('throttled');
      return page(request);
    };
    const { end, record, request } = await contain(world);
    expect(end).toBe('Contained, and something is not kept');
    expect(record?.gaps).toEqual([`logs of the rest in ${west} are not exported: throttled`]);
    expect((await evidenceOf(world, request, record?.sealed?.sha256)).ids).toEqual(wanted.filter((id) => !id.startsWith(west)));
  });

  it('calls that fail now and then lose nothing', async () => {
    const world = await worldWith();
    for (const method of ['groups', 'page', 'page'] as const)
      world.ports.evidenceLogs.failNext(method, new ServiceUnavailable('throttled'));
    world.ports.reports.failNext('put', new ServiceUnavailable('slow down'));
    world.ports.networkFence.failNext('isolate', new ServiceUnavailable('throttled'));
    const { end, record, request } = await contain(world);
    expect({ end, gaps: record?.gaps }).toEqual({ end: 'Contained', gaps: [] });
    expect((await evidenceOf(world, request, record?.sealed?.sha256)).ids).toEqual(wanted);
  });

  it('an object that is gone when the evidence is sealed', async () => {
    const world = await worldWith();
    const { list } = world.ports.reports;
    world.ports.reports.list = async (region, prefix) => (await list(region, prefix)).slice(1);
    const { end, record } = await contain(world);
    expect(end).toBe('Contained, and something is not kept');
    expect(record?.gaps).toEqual([`1 objects of ${trail} in ${east} are not there any more`]);
  });
});

describe('crashes', () => {
  it('dying in any state and started again, it contains and keeps everything', async () => {
    const { states } = await contain(await worldWith());
    for (const at of new Set(states.map((state) => states.indexOf(state)))) {
      for (const when of ['before', 'after'] as const) {
        const world = await worldWith();
        const request = await requestIn(world);
        await contain(world, { dies: { at, when } }, { request });
        const { end, record } = await contain(world, {}, { request });
        expect(`${states[at]} ${when}: ${end}`).toBe(`${states[at]} ${when}: Contained`);
        expect(isShut(world)).toEqual(everythingShut);
        expect((await evidenceOf(world, request, record?.sealed?.sha256)).ids).toEqual(wanted);
      }
    }
  });

  it('a page that is read again and holds more by then stands beside the first one', async () => {
    const world = await worldWith();
    const request = await requestIn(world);
    let exports = 0;
    await contain(
      world,
      {
        after(step) {
          if (step === 'export-evidence-logs') exports++;
        },
        dies: { at: 9, when: 'after' },
      },
      { request },
    );
    expect(exports).toBe(1);
    const late = {
      id: `${east}${trail}-late`,
      at: timestamp(new Date(world.clock.now().getTime() - 3_000_000)),
      stream: 'task/1',
      message: patient,
    };
    world.ports.evidenceLogs.add(east, trail, late);
    const { record, end } = await contain(world, {}, { request });
    expect(end).toBe('Contained');
    const { ids, manifest } = await evidenceOf(world, request, record?.sealed?.sha256);
    expect(ids).toEqual([...wanted, late.id].sort());
    const ofTrail = manifest.groups.findIndex(({ name }) => name === trail);
    expect(manifest.objects.filter(({ key }) => partsOfKey(key)?.group === ofTrail && partsOfKey(key)?.page === 0)).toHaveLength(2);
  });
});

describe('a person who opens the network meanwhile', () => {
  it('is not overruled', async () => {
    const world = await worldWith();
    const { end, record } = await contain(world, {
      async before(step) {
        if (step === 'shut-out-application') await world.ports.coordination.putContainment(undefined);
      },
    });
    expect(end).toBe('Contained');
    expect(isShut(world)).toEqual([false, false, false, false]);
    expect(record?.releasedBy).toBe('a person');
  });
});

describe('with a recovery', () => {
  const until = new Date('2026-11-21T09:00:00.000Z');

  /** The recovery ends so after some looks; what stood while it ran is written down. */
  async function recovering(outcome: 'succeeded' | 'failed') {
    const world = await worldWith();
    const { describe: asStarted } = world.ports.executions;
    const during: unknown[] = [];
    let looks = 0;
    world.ports.executions.describe = async (ref) => {
      if (!(await asStarted(ref))) return undefined;
      during.push({ hold: await world.ports.coordination.hold(), contained: (await world.ports.coordination.containment()) !== undefined });
      return { status: ++looks < 3 ? 'running' : outcome };
    };
    return { world, during, ...(await contain(world, {}, { recover: { databaseId: hms, until } })) };
  }

  it('starts it when the evidence is sealed, without a hold in its way; the network stays shut, and it is held again', async () => {
    const { world, during, end, request, record } = await recovering('succeeded');
    expect({ end, gaps: record?.gaps }).toEqual({ end: 'Contained', gaps: [] });
    expect(world.ports.executions.started).toMatchObject([
      {
        region: east,
        machine: 'recover-database',
        input: { request: { databaseId: 'hms', until: until.toISOString(), requestedBy: 'alice' } },
      },
    ]);
    expect(during[0]).toEqual({ hold: undefined, contained: true });
    expect(isShut(world)).toEqual(everythingShut);
    expect((await world.ports.coordination.hold())?.by).toBe(request.breachId);
    expect(record?.recovery?.outcome).toBe('recovered');
  });

  it('that fails is told, and it is held again', async () => {
    const { world, end, request, record } = await recovering('failed');
    expect(end).toBe('Contained, and something is not kept');
    expect(record?.gaps).toEqual([`${record?.recovery?.recoveryId} did not recover the database; its report says why`]);
    expect((await world.ports.coordination.hold())?.by).toBe(request.breachId);
  });

  it('that cannot be asked for is told, and the hold stands', async () => {
    const world = await worldWith();
    const { end, record, request } = await contain(world, {}, { recover: { databaseId: billing, until } });
    expect(end).toBe('Contained, and something is not kept');
    expect(record?.gaps[0]).toMatch(/^billing is not recovered: /);
    expect(world.ports.executions.started).toEqual([]);
    expect((await world.ports.coordination.hold())?.by).toBe(request.breachId);
  });
});
