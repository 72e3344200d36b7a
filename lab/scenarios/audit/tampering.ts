import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { EventId } from '../../../functions/audit/events/event.ts';
import type { AuditEvents } from '../../../functions/audit/ports.ts';
import type { FindingCode } from '../../../functions/audit/watch/finding.ts';
import { verifyAuditLog } from '../../../functions/audit/watch/verify-audit-log.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { memoryAuditWatchMemory } from '../../../functions/memory/audit/watch-memory.ts';
import { memoryItemStore } from '../../../functions/memory/item-store.ts';
import { checkpointSize } from '../../audit/checkpoint-times.ts';
import { fsck, installedFsck } from '../../audit/fsck.ts';
import { hospitalLines } from '../../audit/hospital-events.ts';
import { SingleLog } from '../../audit/single-log.ts';
import { type Harm, harmNames, harms } from '../../audit/tampering.ts';
import { copyOf, filesIn } from './copies.ts';
import { type AuditStage, overHttps, someEvents, startLogging } from './stage.ts';
import { lookAtCopy, type Watched } from './watch.ts';

/** What each kind of harm is told as. */
const wanted = {
  'entry-changed': 'AuditLogRewritten',
  'tile-changed': 'AuditLogRewritten',
  'entries-cut': 'AuditLogRewritten',
  'other-key': 'AuditLogForked',
} as const satisfies Record<Harm, FindingCode>;

const LOGGED_MS = 1_000;

/** Everything that somebody with all keys could do to a log or its events, done to copies of the real files. */
export async function tampering(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  await someEvents(stage);
  await phases.run('Tamper with copies of a log in every way, and let the watch look', async (say) => {
    const region = world.regions.primary;
    const told: string[] = [];
    const missed: string[] = [];
    const note = (what: string, code: FindingCode, { codes, rung }: Watched): void => {
      if (!codes.includes(code) || !rung.includes(code)) missed.push(`${what}: ${codes.join(', ') || 'found nothing'}`);
      else told.push(`${what}: ${code}`);
      say(`${what}: ${codes.join(', ') || 'found nothing'}`);
    };
    const older = copyOf(stage, region);
    // What the watch has seen of the sound log, before and after it grew.
    const seen = memoryAuditWatchMemory(memoryItemStore(world.lab.clock));
    await lookAtCopy(stage, region, { seen });
    await logMore(stage, region);
    const sound = await lookAtCopy(stage, region, { seen });

    for (const name of harmNames) {
      const copy = copyOf(stage, region);
      harm(stage, copy, name);
      note(harms[name].says, wanted[name], await lookAtCopy(stage, region, { files: filesIn(stage, copy) }));
    }
    note('an older log put back whole', 'AuditLogTruncated', await lookAtCopy(stage, region, { files: filesIn(stage, older), seen }));
    const fork = await forkOf(stage, region);
    note(
      'another history of the same size, signed by the log’s own key',
      'AuditLogForked',
      await lookAtCopy(stage, region, { files: filesIn(stage, fork), seen }),
    );
    const events = world.lab.ports(region).auditEvents;
    note(
      'a body changed in the table',
      'AuditBodyAltered',
      await lookAtCopy(stage, region, { events: alteredBody(stage, region, events) }, verifyAuditLog),
    );
    note(
      'an event removed from the table',
      'AuditLogGap',
      await lookAtCopy(stage, region, { events: withoutOne(stage, region, events) }, verifyAuditLog),
    );

    findings.measure('tamperingsFound', told.length);
    findings.promise(
      'A3',
      'Whatever is done to a log or its events is found, and told as what it is; a sound log is not accused.',
      missed.length === 0 && sound.findings.length === 0,
      missed.length > 0 ? missed.join('; ') : `${told.length} kinds: ${told.join('; ')}`,
    );
    await askOutsideJudge(stage, region);
  });
}

const generationOf = ({ world }: AuditStage): string => String(world.lab.operations.audit.generation);

/** Below what the copy's own checkpoint promises: older partial tiles lie beside it, and harm to them harms nobody. */
function harm(stage: AuditStage, copy: string, name: Harm): void {
  const log = join(copy, generationOf(stage));
  harms[name].do(log, checkpointSize(log));
}

async function logMore(stage: AuditStage, region: Region): Promise<void> {
  const applications = startLogging(stage, region, overHttps(stage, region), { perSecond: 100, batch: 25 });
  await stage.world.lab.clock.sleep(LOGGED_MS);
  await applications.stop();
  await stage.world.integrated([region], 30);
}

/** As many entries, other events, the log's own key. */
async function forkOf(stage: AuditStage, region: Region): Promise<string> {
  const { lab, regions } = stage.world;
  const dir = mkdtempSync(join(regions.dir, 'fork-'));
  const signer = lab.ports(region).checkpointSigner;
  const fork = new SingleLog({ dir, operations: lab.operations, region, clock: lab.clock, signer });
  const size = checkpointSize(stage.world.logDir(region));
  const AT_A_TIME = 500;
  for (let from = 0; from < size; from += AT_A_TIME) {
    await fork.take(hospitalLines(7, from, Math.min(AT_A_TIME, size - from), lab.clock.now()));
    await fork.sequence();
  }
  return dir;
}

function victim({ told }: AuditStage, region: Region): EventId {
  const [id] = told
    .filter((each) => each.region === region)
    .flatMap(({ acknowledged }) => [...acknowledged.keys()])
    .slice(-1);
  return EventId.parse(id);
}

/** The table with one word of one body changed: who did it. */
function alteredBody(stage: AuditStage, region: Region, events: AuditEvents): AuditEvents {
  const id = victim(stage, region);
  const altered = <T extends { readonly eventId: string; readonly body?: string | undefined }>(event: T): T =>
    event.eventId === id && event.body !== undefined
      ? { ...event, body: event.body.replace(/"userId":"[^"]*"/, '"userId":"staff-other"') }
      : event;
  return {
    ...events,
    get: async (refs) => (await events.get(refs)).map(altered),
    async query(filter, page) {
      const found = await events.query(filter, page);
      return { ...found, events: found.events.map(altered) };
    },
  };
}

function withoutOne(stage: AuditStage, region: Region, events: AuditEvents): AuditEvents {
  const id = victim(stage, region);
  return {
    ...events,
    get: async (refs) => (await events.get(refs)).filter(({ eventId }) => eventId !== id),
    async query(filter, page) {
      const found = await events.query(filter, page);
      return { ...found, events: found.events.filter(({ eventId }) => eventId !== id) };
    },
  };
}

/** Tessera's fsck, where `npm run judge:audit` has built it. */
async function askOutsideJudge(stage: AuditStage, region: Region): Promise<void> {
  const { world, findings } = stage;
  const judge = installedFsck();
  if (!judge) return;
  const verdicts = [];
  for (const each of world.regions.names) verdicts.push(await fsck(judge, world.logDir(each)));
  const copy = copyOf(stage, region);
  harm(stage, copy, 'entry-changed');
  const refused = await fsck(judge, join(copy, generationOf(stage)));
  findings.promise(
    'A3.judge',
    'Tessera’s fsck finds the logs sound, and refuses one with a changed entry.',
    verdicts.every(({ accepted }) => accepted) && !refused.accepted,
    `${verdicts.map(({ says }) => says).join(', ')}; changed: ${refused.says}`,
  );
}
