import { z } from 'zod';
import type { AuditEvents, AuditObjects } from '../../../functions/audit/ports.ts';
import { checkAuditLog } from '../../../functions/audit/watch/check-audit-log.ts';
import type { Finding } from '../../../functions/audit/watch/finding.ts';
import { restoreTestAuditLog } from '../../../functions/audit/watch/restore-test-audit-log.ts';
import { verifyAuditLog } from '../../../functions/audit/watch/verify-audit-log.ts';
import { backupAuditLogTable } from '../../../functions/backup/backup-audit-log-table.ts';
import { backupStateTables } from '../../../functions/backup/backup-state-tables.ts';
import type { Clock } from '../../../functions/common/clock.ts';
import type { Region } from '../../../functions/common/ids.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import type { AnyTask } from '../../../functions/common/task.ts';
import { runTask } from '../../../functions/handlers/run-operation.ts';
import { memoryAuditWatchMemory } from '../../../functions/memory/audit/watch-memory.ts';
import { memoryItemStore } from '../../../functions/memory/item-store.ts';
import { recordingMetrics } from '../../../functions/memory/metrics.ts';
import { auditLogDir } from '../../audit/objects.ts';
import { readLogs } from '../../audit/read-log.ts';
import type { AuditStage } from './stage.ts';

/** Pauses of minutes are made for DynamoDB and S3. */
const LONGEST_PAUSE_MS = 20;
const RUN_MS = 15 * 60_000;

const Found = z.looseObject({
  did: z.string().optional(),
  findings: z.array(z.looseObject({ code: z.string(), subject: z.string(), says: z.string() })).default([]),
});

export interface Watched {
  readonly did: string | undefined;
  readonly findings: readonly Pick<Finding, 'subject' | 'says'>[];
  readonly codes: readonly string[];
  /** Metrics of alarms that it raised. */
  readonly rung: readonly string[];
}

/** Runs one of the watch's tasks in a Region, as its schedule would, with some of its ports replaced. */
export async function runWatch({ world }: AuditStage, task: AnyTask, region: Region, changed: Partial<Ports> = {}): Promise<Watched> {
  const host = world.lab.host(region);
  const metrics = recordingMetrics();
  const { clock } = world.lab;
  const impatient: Clock = { now: () => clock.now(), sleep: (milliseconds) => clock.sleep(Math.min(milliseconds, LONGEST_PAUSE_MS)) };
  const ports = { ...world.lab.ports(region), metrics, ...changed };
  const now = clock.now();
  const event = { key: `lab/${now.getTime()}`, scheduledAt: now.toISOString(), input: {} };
  const { ran, result } = await runTask(task, event, { ...host, ports, clock: impatient }, new Date(now.getTime() + RUN_MS));
  if (!ran) throw new TypeError(`${task.name} did not run`);
  const { did, findings } = Found.parse(result);
  const rung = metrics.recorded
    .filter(({ name, value }) => value > 0 && findings.some(({ code }) => code === name))
    .map(({ name }) => name);
  return { did, findings, codes: [...new Set(findings.map(({ code }) => code))], rung: [...new Set(rung)] };
}

/** What the five-minute watch finds in a Region when its log's files, its events or its memory are others. */
export const lookAtCopy = (
  stage: AuditStage,
  region: Region,
  { files, events, seen }: { readonly files?: AuditObjects; readonly events?: AuditEvents; readonly seen?: Ports['auditWatchMemory'] },
  task: AnyTask = checkAuditLog,
): Promise<Watched> => {
  const own = stage.world.lab.ports(region);
  const auditObjects = files && {
    ...own.auditObjects,
    get: (of: Region, path: string) => (of === region ? files.get(of, path) : own.auditObjects.get(of, path)),
  };
  return runWatch(stage, task, region, {
    ...(auditObjects ? { auditObjects } : {}),
    ...(events ? { auditEvents: events } : {}),
    auditWatchMemory: seen ?? memoryAuditWatchMemory(memoryItemStore(stage.world.lab.clock)),
    // What is found in a copy is no act of this log.
    auditLog: { record: async () => {}, act: async () => [], recent: async () => [] },
  });
};

/** Rows A3 and A5: the watch finds nothing in sound logs, every five minutes, every day, and out of a restored backup. */
export async function watchSound(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { names, primary } = world.regions;
  await phases.run('Verify every log whole, and rebuild the trees from a restored backup', async (say) => {
    const looks = [];
    for (const region of names) looks.push(await runWatch(stage, checkAuditLog, region));
    const days = [];
    for (const region of names) days.push(await runWatch(stage, verifyAuditLog, region));
    const wrong = [...looks, ...days].flatMap((each) => each.findings.map(({ says }) => says));
    findings.promise(
      'A5',
      'Every log is verified whole, entry by entry and event by event, from its own Region and from the others.',
      wrong.length === 0 && days.every(({ did }) => did === 'finished'),
      wrong.length === 0 ? names.map((region) => `${region}: ${entriesOf(stage, region)} entries`).join(', ') : (wrong[0] ?? ''),
    );
    // Events of the last minutes need not be in a backup: they must be older than that.
    world.lab.advance(SETTLED_SECONDS);
    await tablesOfLogs(stage);
    await runWatch(stage, backupStateTables, primary);
    const restored = await runWatch(stage, restoreTestAuditLog, primary);
    say(`${restored.did}: ${restored.findings.length} findings`);
    findings.promise(
      'A5.restore',
      'The trees that are rebuilt from a restored backup of the events have the roots of the logs.',
      restored.did === 'finished' && restored.findings.length === 0,
      restored.findings[0]?.says ?? `backup taken, restored, ${names.length} trees rebuilt, the temporary table removed`,
    );
  });
}

const SETTLED_SECONDS = 600;

/** In all logs of a Region. */
const entriesOf = ({ world }: AuditStage, region: Region): number =>
  readLogs(auditLogDir(world.regions.paths(region))).reduce((sum, { checkpoint }) => sum + checkpoint.size, 0);

/** Row B5: in each Region the table of its own log, whoever leads. */
async function tablesOfLogs(stage: AuditStage): Promise<void> {
  const { world, findings } = stage;
  const { names } = world.regions;
  const since = world.lab.clock.now();
  for (const region of names) await runWatch(stage, backupAuditLogTable, region);
  await world.lab.executions.settled();
  const acts = await world.lab.ports().auditLog.recent(since, 1000);
  const verdicts = acts.filter(({ action, phase }) => action === 'record-state-verdict' && phase === 'intent');
  const verified = new Map(
    verdicts.flatMap(({ region, details }) => (details.verdict === 'verified' ? [[region, Number(details.compared)] as const] : [])),
  );
  const left = (await Promise.all(names.map((region) => world.lab.ports(region).stateBackups.listRestored()))).flat();
  findings.promise(
    'B5.logs',
    "The table of each Region's log is backed up there, restored and compared item by item.",
    names.every((region) => (verified.get(region) ?? 0) > 0) && left.length === 0,
    names.map((region) => `${region}: ${verified.get(region) ?? 'not verified,'} items`).join(', '),
  );
}
