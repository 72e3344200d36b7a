import { z } from 'zod';
import { Region } from '../../common/ids.ts';
import { auditLogOrigin } from '../../common/names.ts';
import type { ReadObject } from '../log/append.ts';
import type { Checkpoint } from '../log/models.ts';
import { type AuthenticLog, authenticLog } from './authentic-log.ts';
import type { Finding } from './finding.ts';
import { findingCodes } from './finding.ts';
import { judgeCheckpoint } from './judge-checkpoint.ts';
import { objectsOf, type PublishedPorts, readPublished } from './published-logs.ts';

const KeptFinding = z.strictObject({
  code: z.enum(findingCodes),
  region: Region,
  generation: z.int(),
  subject: z.string(),
  says: z.string(),
});

/** A log as it was signed when a check began: what is verified is held against this, whatever is published meanwhile. */
export const PinnedLog = z.strictObject({ generation: z.int().min(1), size: z.int().min(0), root: z.base64() });
export type PinnedLog = z.output<typeof PinnedLog>;

/** How far a full verification has come. */
export const Verification = z.strictObject({
  /** Oldest first. */
  logs: z.array(PinnedLog),
  /** What the checkpoints themselves showed; told by the first run. */
  atBegin: z.array(KeptFinding),
  /** `entries`: from the log to the table; `events`: from the table to the log. */
  phase: z.enum(['entries', 'events', 'done']),
  /** Where the entries go on: a log of `logs`, and a bundle of it. */
  log: z.int().min(0),
  bundle: z.int().min(0),
  /** Where the events go on. */
  next: z.string().optional(),
  entries: z.int().min(0),
  events: z.int().min(0),
  erased: z.int().min(0),
  /** Findings. */
  found: z.int().min(0),
});
export type Verification = z.output<typeof Verification>;

/** Signed checkpoints of this Region's logs, judged as each look does. A log whose checkpoint is refused is a finding, and is not read. */
export async function pinLogs(
  region: Region,
  ports: PublishedPorts,
): Promise<{ readonly logs: readonly PinnedLog[]; readonly findings: readonly Finding[] }> {
  const { published } = await readPublished(region, ports);
  const judged = published.map((each) => ({ generation: each.generation, ...judgeCheckpoint(each) })).reverse();
  return {
    logs: judged.flatMap(({ generation, checkpoint, findings }) =>
      checkpoint && findings.length === 0
        ? [{ generation, size: checkpoint.size, root: Buffer.from(checkpoint.root).toString('base64') }]
        : [],
    ),
    findings: judged.flatMap(({ findings }) => findings),
  };
}

export async function beginVerification(ports: PublishedPorts): Promise<Verification> {
  const { logs, findings } = await pinLogs(ports.region, ports);
  return {
    logs: [...logs],
    atBegin: [...findings],
    phase: logs.length > 0 ? 'entries' : 'events',
    log: 0,
    bundle: 0,
    entries: 0,
    events: 0,
    erased: 0,
    found: 0,
  };
}

/** A pinned log, opened. @throws LogRewritten, LogDamaged */
export function openPinned(
  region: Region,
  { generation, size, root }: PinnedLog,
  { operations, auditObjects }: Pick<PublishedPorts, 'operations' | 'auditObjects'>,
): Promise<AuthenticLog> {
  const read: ReadObject = objectsOf(auditObjects, { region, generation });
  const checkpoint: Checkpoint = { origin: auditLogOrigin(operations, region, generation), size, root: Buffer.from(root, 'base64') };
  return authenticLog(read, checkpoint);
}
