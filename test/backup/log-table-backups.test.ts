import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audited } from '../../functions/audit/audited.ts';
import { backupAuditLogTable } from '../../functions/backup/backup-audit-log-table.ts';
import { backupStateTables } from '../../functions/backup/backup-state-tables.ts';
import { type Region, timeSlug, timestamp } from '../../functions/common/ids.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import { latestOccurrence } from '../../functions/common/schedule.ts';
import type { AnyStep } from '../../functions/common/task.ts';
import { runMissedTasks } from '../../functions/maintenance/run-missed-tasks.ts';
import { runsHere } from '../../functions/maintenance/runs-here.ts';
import { memoryTaskInvoker } from '../../functions/memory/task-invoker.ts';
import { StateVerificationRecord } from '../../functions/verify/state-backup-models.ts';
import {
  compareState,
  recordStateVerdict,
  removeStateRestore,
  startStateRestore,
} from '../../functions/verify/steps/verify-state-backup.ts';
import { led } from '../failover/support.ts';
import { memoryWorld } from '../support/host.ts';
import { testOperations } from '../support/operations.ts';
import { portsIn } from '../support/regional-ports.ts';

const operations = testOperations();
const regions = regionsOf(operations);
const { primary, standby, tertiary } = operations.regions;

/** Each Region with ports of its own, and something in its log that is older than a minute. */
async function worldWithLogs(start = '2026-11-21T06:00:00.000Z') {
  const world = memoryWorld({ start, operations });
  const inRegion = new Map(regions.map((region) => [region, portsIn(world, region)]));
  const place = (region: Region) => {
    const ports = inRegion.get(region);
    if (!ports) throw new TypeError(`${region} is no Region of the deployment`);
    return { region, ports };
  };
  const acts = { [primary]: 1, [standby]: 2, [tertiary]: 3 };
  for (const region of regions) {
    const context = { ...place(region).ports, clock: world.clock, region };
    for (let number = 0; number < (acts[region] ?? 0); number++) {
      await audited(context, { actor: 'cli/alice', action: 'pause-backups', resource: `${number}` }, async () => {});
    }
  }
  world.clock.advance(120);
  return { ...world, world, place, acts };
}

/** As the machine does, where the backup was taken. `damage` happens to the restored table. */
async function verify(
  { world, place }: Awaited<ReturnType<typeof worldWithLogs>>,
  region: Region,
  damage: (into: string) => void = () => {},
) {
  const input = world.ports.executions.started.findLast((each) => each.region === region)?.input;
  let record = StateVerificationRecord.parse(input);
  const step = async (of: AnyStep) => StateVerificationRecord.parse(await world.step(of, record, place(region)));
  record = await step(startStateRestore);
  damage(record.into);
  for (const each of [compareState, removeStateRestore, removeStateRestore, recordStateVerdict]) record = await step(each);
  return record;
}

describe("the table of a Region's audit log", () => {
  it.each(regions)('is backed up in %s, which restores it and compares it with the items of its own log', async (region) => {
    const given = await worldWithLogs();
    await given.world.run(backupAuditLogTable, {}, given.place(region));
    expect(given.ports.executions.started.map((each) => [each.region, each.machine])).toEqual([[region, 'verify-state-backup']]);
    const verdict = await verify(given, region);
    expect(verdict).toMatchObject({ table: 'audit-log', verdict: 'verified', compared: 2 * (given.acts[region] ?? 0), removal: 'removed' });
    const { stateBackups, metrics } = given.place(region).ports;
    expect(await stateBackups.list(stateBackups.logTable())).toHaveLength(1);
    expect(await stateBackups.listRestored()).toEqual([]);
    expect(metrics.latest('StateItemsLost', { Table: 'audit-log' })).toBe(0);
  });

  it.each([standby, tertiary])('is refused in %s when its backup lacks an item, and the metric of that Region says so', async (region) => {
    const given = await worldWithLogs();
    const { stateBackups, metrics } = given.place(region).ports;
    await given.world.run(backupAuditLogTable, {}, given.place(region));
    const verdict = await verify(given, region, (into) => stateBackups.alterRestored(into, (contents) => contents.slice(1)));
    expect(verdict.verdict).toBe('refused');
    expect(metrics.latest('StateItemsLost', { Table: 'audit-log' })).toBe(1);
    expect(given.place(primary).ports.metrics.recorded).toEqual([]); // nothing rings elsewhere
  });

  it('is backed up while nobody can tell who leads', async () => {
    const given = await worldWithLogs();
    given.ports.coordination.setAvailable(false);
    for (const region of regions) expect(await given.world.run(backupAuditLogTable, {}, given.place(region))).toMatchObject({ ran: true });
    await expect(given.world.run(backupStateTables, {}, given.place(primary))).rejects.toMatchObject({ name: 'ServiceUnavailable' });
  });
});

/** From one look of `run-missed-tasks` to the next; the schedules' hour is among them. */
const stepHours = 3;
const days = 3;
/** Who leads, one stretch of steps after another; between two of them the lead is being moved, for less than what catching up looks back. */
const leads = fc.array(
  fc.record({
    holder: fc.constantFrom(primary, standby),
    led: fc.integer({ min: 1, max: 10 }),
    moving: fc.integer({ min: 0, max: 5 }),
  }),
  { minLength: 1, maxLength: 8 },
);
/** Schedules that do not fire, as when the clocks skip their time: day and Region. */
const skips = fc.array(fc.tuple(fc.nat(days - 1), fc.constantFrom(...regions)), { maxLength: 6 });

describe('whoever leads, and while nobody does', () => {
  it('each day has one backup of each replicated table in the deployment, and one of the table of each log in its Region', async () => {
    await fc.assert(
      fc.asyncProperty(leads, skips, async (stretches, skipped) => {
        const { world, place, clock, ports } = await worldWithLogs('2026-11-21T05:58:00.000Z'); // 01:00 in New York, and the two minutes
        const tasks = [backupStateTables, backupAuditLogTable];
        const missed = runMissedTasks(() => tasks);
        const first = led({ version: 0, leaseUntil: timestamp(new Date('2027-01-01T00:00:00.000Z')) });
        await ports.coordination.create(first);
        let version = 0;
        const lead = async (change: Partial<typeof first>) => ports.coordination.replace({ ...first, ...change, version: version++ });
        const timeline = stretches.flatMap(({ holder, led: ledSteps, moving }) => [
          ...Array.from({ length: ledSteps }, () => ({ holder, phase: 'active' as const })),
          ...Array.from({ length: moving }, () => ({ holder, phase: 'promoting' as const })),
        ]);
        for (let step = 0; step < ((days + 1) * 24) / stepHours; step++) {
          await lead(timeline[step] ?? { holder: primary, phase: 'active' });
          for (const region of regions) {
            const at = place(region);
            const here = tasks.filter((task) => runsHere(task, operations, region));
            for (const task of here) {
              const [{ schedule } = { schedule: undefined }] = task.schedules(operations);
              const due = schedule && latestOccurrence(schedule, operations.timeZone, clock.now());
              const isSkipped = skipped.some(([day, where]) => day === Math.floor((step * stepHours) / 24) && where === region);
              if (due?.getTime() === clock.now().getTime() && !isSkipped) await world.run(task, { scheduledAt: due }, at);
            }
            const taskInvoker = memoryTaskInvoker(async ({ task: name, key, scheduledAt }) => {
              const [task] = here.filter((each) => each.name === name);
              if (task) await world.run(task, { key, scheduledAt }, at);
            });
            await world.pass(missed, { region, ports: { ...at.ports, taskInvoker } });
          }
          clock.advance(stepHours * 3600);
        }
        const names = Array.from({ length: days }, (_, day) => `cb-${timeSlug(new Date(Date.UTC(2026, 10, 21 + day, 6)))}`);
        const backupsOf = async (table: string, region: Region) =>
          (await place(region).ports.stateBackups.list(table)).map(({ name }) => name).filter((name) => names.includes(name));
        for (const region of regions) expect((await backupsOf('audit-log', region)).sort()).toEqual(names);
        for (const table of ['state', 'audit']) {
          const all = await Promise.all(regions.map((region) => backupsOf(table, region)));
          expect(all.flat().sort()).toEqual(names);
        }
      }),
      { numRuns: 20 },
    );
  });
});
