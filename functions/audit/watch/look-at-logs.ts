import type { Clock } from '../../common/clock.ts';
import { secondsBetween } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { LogDamaged } from '../errors.ts';
import { type Checkpoint, TILE_WIDTH } from '../log/models.ts';
import type { AuditEvents, AuditQueue, SeenCheckpoint } from '../ports.ts';
import { type AuthenticLog, authenticLog, isSame } from './authentic-log.ts';
import { LogRewritten } from './errors.ts';
import type { Finding, LogRef } from './finding.ts';
import { type Judged, judgeCheckpoint, type Published } from './judge-checkpoint.ts';
import { judgeEntries, readEntries } from './judge-entries.ts';
import { leafIn } from './judge-event.ts';
import { type Generation, judgeGenerations } from './judge-generations.ts';
import { judgeHead } from './judge-head.ts';
import { judgeWaiting } from './judge-waiting.ts';
import { objectsOf, type PublishedPorts, type RegionLogs, readPublished } from './published-logs.ts';

export interface LookPorts extends PublishedPorts {
  readonly operations: Pick<Operations, 'name' | 'audit'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Reading ends then; what is left is for the next run. */
  readonly readUntil: Date;
  readonly auditEvents: Pick<AuditEvents, 'get' | 'query'>;
  readonly auditQueue: Pick<AuditQueue, 'pending'>;
}

/** What one look at a Region's logs found, and what may be remembered of it. */
export interface Look {
  readonly findings: readonly Finding[];
  /** Generations in which nothing was found. */
  readonly remember: readonly SeenCheckpoint[];
  /** Entries that were read and hashed. */
  readonly entries: number;
}

/** Entries between two looks at the clock. */
const atATime = 64 * TILE_WIDTH;
/** Waiting events that are looked at. */
const pendingLimit = 100;

/**
 * One look at all logs of a Region, from wherever this runs. What is new since the last look is read and hashed; what was seen then must be the beginning of what is there
 * now. Of this Region's own log, the entries are held against the events, and the head against the checkpoint.
 *
 * @throws ServiceUnavailable when the Region cannot be reached
 */
export async function lookAtLogs(region: Published['region'], ports: LookPorts): Promise<Look> {
  const logs = await readPublished(region, ports);
  const looks = [];
  for (const published of logs.published) looks.push(await lookAtLog(published, ports));
  const apart = [...headFindings(logs, looks), ...judgeGenerations(looks.map(({ generation }) => generation).reverse())];
  const tampering = [...looks.flatMap(({ findings }) => findings), ...apart];
  const touched = new Set(tampering.map(({ generation }) => generation));
  return {
    findings: [...tampering, ...(await waitingFindings(logs, looks, ports))],
    remember: looks.flatMap(({ remember }) => (remember && !touched.has(remember.generation) ? [remember] : [])),
    entries: looks.reduce((sum, { entries }) => sum + entries, 0),
  };
}

interface LogLook {
  readonly ref: LogRef;
  readonly findings: readonly Finding[];
  readonly checkpoint?: Checkpoint;
  readonly generation: Generation;
  readonly remember?: SeenCheckpoint;
  readonly last?: SeenCheckpoint;
  readonly entries: number;
}

async function lookAtLog(published: Published, ports: LookPorts): Promise<LogLook> {
  const { region, generation, last, verifierKey } = published;
  const ref = { region, generation };
  const judged = judgeCheckpoint(published);
  const { checkpoint } = judged;
  const refused = {
    ref,
    generation: { ...ref, verifierKey },
    ...(last ? { last } : {}),
    ...(checkpoint ? { checkpoint } : {}),
    entries: 0,
  };
  if (!checkpoint || judged.findings.length > 0) return { ...refused, findings: judged.findings };
  try {
    const log = await authenticLog(objectsOf(ports.auditObjects, ref), checkpoint);
    const [first] = checkpoint.size > 0 ? await log.entries(0) : [];
    const read = await readNew(log, judged, published, ports);
    const remember = read.findings.length === 0 ? seenNow(published, checkpoint, read.verifiedSize, ports) : undefined;
    return {
      ...refused,
      generation: { ...refused.generation, log: { checkpoint, first: first && leafIn(first) } },
      findings: read.findings,
      entries: read.entries,
      ...(remember ? { remember } : {}),
    };
  } catch (error) {
    if (!(error instanceof LogRewritten || error instanceof LogDamaged)) throw error;
    const subject = error instanceof LogRewritten ? error.path : 'tile';
    return { ...refused, findings: [{ code: 'AuditLogRewritten', ...ref, subject, says: error.message }] };
  }
}

/** Entries that nobody has read yet, as far as the time goes. @throws LogRewritten, LogDamaged */
async function readNew(log: AuthenticLog, { seen }: Judged, { region, generation, last }: Published, ports: LookPorts) {
  const { clock, readUntil } = ports;
  const ref = { region, generation };
  if (seen && !isSame(await log.rootAt(seen.size), seen.root)) {
    const says = `what was seen at ${seen.size} entries is not the beginning of the ${log.size} that are there`;
    return { findings: [{ code: 'AuditLogForked', ...ref, subject: 'checkpoint', says } satisfies Finding], verifiedSize: 0, entries: 0 };
  }
  const findings: Finding[] = [];
  const begin = Math.min(last?.verifiedSize ?? 0, log.size);
  let reached = begin;
  while (reached < log.size && clock.now() < readUntil) {
    const until = Math.min(log.size, reached + atATime - (reached % TILE_WIDTH));
    await readEntries(log, ref, { from: reached, until }, async (entries) => {
      // Events of another Region may not have come here yet: whether they are there is that Region's own watch to see.
      if (region === ports.region) findings.push(...(await judgeEntries(entries, ports)).findings);
    });
    reached = until;
  }
  return { findings, verifiedSize: reached, entries: reached - begin };
}

/** Nothing to remember where nothing is new: `seenAt` says since when the log stands. */
function seenNow(
  { region, generation, note, last }: Published,
  { size }: Checkpoint,
  verifiedSize: number,
  { clock }: LookPorts,
): SeenCheckpoint | undefined {
  if (note === undefined || (last?.size === size && last.verifiedSize === verifiedSize)) return undefined;
  return { region, generation, note, size, verifiedSize, seenAt: last?.size === size ? last.seenAt : timestamp(clock.now()) };
}

function headFindings({ region, head }: RegionLogs, looks: readonly LogLook[]): readonly Finding[] {
  if (!head) return [];
  const checkpoints = new Map(looks.flatMap(({ ref, checkpoint }) => (checkpoint ? [[ref.generation, checkpoint] as const] : [])));
  // A checkpoint that is refused is a finding already, and says nothing of the head.
  const refused = new Set(looks.filter(({ checkpoint, findings }) => !checkpoint && findings.length > 0).map(({ ref }) => ref.generation));
  return judgeHead({ region, ...head, checkpoints }).filter(({ generation }) => !refused.has(generation));
}

async function waitingFindings({ region, head }: RegionLogs, looks: readonly LogLook[], ports: LookPorts): Promise<readonly Finding[]> {
  const { auditQueue, operations, clock } = ports;
  const [newest] = looks;
  const waiting = {
    region,
    generation: newest?.ref.generation ?? operations.audit.generation,
    now: clock.now(),
    within: operations.audit.watch.integratedWithin,
  };
  const pending = head ? await auditQueue.pending(pendingLimit) : await recordedSince(newest?.last, waiting, ports);
  const findings = judgeWaiting({ ...waiting, pending, size: newest?.checkpoint?.size, last: newest?.last });
  // Which events of another Region wait is not to be seen from here, only that its log stands although events were recorded.
  return head ? findings : findings.filter(({ code }) => code === 'AuditLogStale');
}

/** Events of another Region that were recorded after its newest checkpoint was seen: that one cannot hold them. Looked for only where the log has stood for long. */
async function recordedSince(
  last: SeenCheckpoint | undefined,
  { region, now, within }: Pick<Parameters<typeof judgeWaiting>[0], 'region' | 'now' | 'within'>,
  { auditEvents }: LookPorts,
) {
  if (!last || secondsBetween(new Date(last.seenAt), now) <= within) return [];
  const filter = { from: new Date(last.seenAt), until: new Date(now.getTime() - within * 1000) };
  const { events } = await auditEvents.query(filter, { limit: pendingLimit });
  return events.filter((event) => event.region === region && event.recordedAt > last.seenAt);
}
