import type { StateBackups } from '../../backup/ports.ts';
import { append, type RightEdge } from '../log/append.ts';
import type { RecordedEvent } from '../ports.ts';
import type { AuthenticLog } from './authentic-log.ts';
import type { Finding, LogRef } from './finding.ts';
import { eventOfEntry, leafIn } from './judge-event.ts';

/** A tree that is being rebuilt: its edge, which stands between two bundles of the log unless it has come to its end. */
export interface Rebuilt {
  readonly edge: RightEdge;
  /** No further entry is old enough to be in the backup for certain. */
  readonly ended: boolean;
  readonly findings: readonly Finding[];
}

/** Names of events that a finding tells. */
const namedFindings = 20;

/**
 * Adds the leaves of one bundle to a tree, in the log's order, out of the restored table. It ends before the first event that was recorded after `until`: what is older must be in
 * the backup. The entry of a predecessor is no event, and comes from the log.
 *
 * @throws LogRewritten, LogDamaged
 */
export async function rebuildBundle(
  edge: RightEdge,
  bundle: number,
  {
    log,
    ref,
    into,
    until,
    stateBackups,
  }: {
    readonly log: AuthenticLog;
    readonly ref: LogRef;
    readonly into: string;
    readonly until: Date;
    readonly stateBackups: Pick<StateBackups, 'restoredEvents'>;
  },
): Promise<Rebuilt> {
  const all = await log.entries(bundle);
  const young = all.findIndex((bytes) => isYounger(bytes, until));
  const entries = young < 0 ? all : all.slice(0, young);
  const events = entries.map((bytes) => eventOfEntry({ ...ref, index: 0, bytes }));
  const restored = new Map(
    (
      await stateBackups.restoredEvents(
        into,
        events.filter((event) => event !== undefined),
      )
    ).map((event) => [event.eventId, event]),
  );
  const findings: Finding[] = [];
  const leaves = entries.map((bytes, at) => {
    const event = events[at];
    if (!event) return bytes;
    const leaf = restored.get(event.eventId)?.leaf;
    const says = wrongWith(leaf, bytes);
    if (says !== undefined && findings.length < namedFindings)
      findings.push({ code: 'AuditRestoreFailed', ...ref, subject: event.eventId, says: `event ${event.eventId} ${says}` });
    return Buffer.from(leaf ?? '');
  });
  return { edge: append(edge, leaves).edge, ended: young >= 0 || bundle + 1 === log.bundles, findings };
}

function wrongWith(leaf: RecordedEvent['leaf'] | undefined, entry: Uint8Array): string | undefined {
  if (leaf === undefined) return 'is not in the restored table';
  return leaf === Buffer.from(entry).toString('utf8') ? undefined : 'has another leaf in the restored table';
}

function isYounger(entry: Uint8Array, until: Date): boolean {
  const leaf = leafIn(entry);
  return leaf?.format === 'codeblue-audit-leaf/1' && new Date(leaf.recordedAt) > until;
}
