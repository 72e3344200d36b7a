import { z } from 'zod';
import { before, minutes } from '../../common/duration.ts';
import { messageOf, ServiceUnavailable } from '../../common/errors.ts';
import { Region, Timestamp, timeSlug, timestamp } from '../../common/ids.ts';
import { restoredTablePrefix } from '../../common/names.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import type { RightEdge } from '../log/append.ts';
import { emptyEdge, rootOfEdge } from '../log/append.ts';
import type { AuthenticLog } from './authentic-log.ts';
import { isSame } from './authentic-log.ts';
import type { Finding } from './finding.ts';
import { rebuildBundle } from './rebuild-tree.ts';
import type { RestoreContext } from './restore-test-audit-log.ts';
import { openPinned, PinnedLog, pinLogs } from './verification.ts';
import { damage } from './verify-entries.ts';

/** Events of other Regions are replicated into the table that is backed up, usually within a second. */
const replicated = minutes(5);
/** Bundles of a piece. */
const pieceBundles = 64;

/** How far a restore test has come. */
export const RestoreTest = z.strictObject({
  backup: z.string(),
  /** Name of the temporary table. */
  into: z.string(),
  /** Events that were recorded by then must be in the backup. */
  until: Timestamp,
  phase: z.enum(['restoring', 'rebuilding', 'removing', 'done']),
  logs: z.array(PinnedLog.extend({ region: Region })),
  /** Regions whose logs could not be read. */
  unreachable: z.array(Region),
  log: z.int().min(0),
  bundle: z.int().min(0),
  /** Tiles of the tree so far, base64, the lowest level first; it stands between two bundles. */
  tiles: z.array(z.base64()),
  /** Trees that came out as the log's: `<region>/<generation>: <size> <root>`. */
  rebuilt: z.array(z.string()),
  entries: z.int().min(0),
  found: z.int().min(0),
});
export type RestoreTest = z.output<typeof RestoreTest>;

export interface RestorePiece {
  readonly state: RestoreTest;
  readonly findings: readonly Finding[];
  /** Nothing can be done but wait. */
  readonly waits?: boolean;
}

/** The newest backup of the events, and the logs of all Regions as they are signed now. @throws ServiceUnavailable when there is no backup to restore */
export async function beginRestoreTest(context: RestoreContext): Promise<RestoreTest> {
  const { stateBackups, operations, clock, log } = context;
  const backups = (await stateBackups.list(stateBackups.eventsTable())).filter(({ status }) => status === 'available');
  const newest = backups.reduce<(typeof backups)[number] | undefined>(
    (best, each) => (best && best.createdAt >= each.createdAt ? best : each),
    undefined,
  );
  if (!newest)
    throw new ServiceUnavailable('there is no backup of the audit events to restore', {
      hint: 'backup-state-tables takes one each day: codeblue tasks run backup-state-tables',
    });
  const unreachable: Region[] = [];
  const logs: RestoreTest['logs'] = [];
  for (const region of regionsOf(operations)) {
    try {
      for (const pinned of (await pinLogs(region, context)).logs) logs.push({ ...pinned, region });
    } catch (error) {
      if (!(error instanceof ServiceUnavailable)) throw error;
      log.warn('a log could not be read: its tree is not rebuilt', { log: region, error: messageOf(error) });
      unreachable.push(region);
    }
  }
  return {
    ...{
      backup: newest.name,
      into: `${restoredTablePrefix(operations)}${timeSlug(clock.now())}-audit-events`,
      until: timestamp(before(newest.createdAt, replicated)),
    },
    ...{ phase: 'restoring', logs, unreachable, log: 0, bundle: 0, tiles: [], rebuilt: [], entries: 0, found: 0 },
  };
}

/** The next entries of one log, out of the restored table; at its end, the root against the one that the signed tree has at that size. */
export async function rebuildPiece(state: RestoreTest, context: RestoreContext): Promise<RestorePiece> {
  const pinned = state.logs[state.log];
  if (!pinned) return { state: { ...state, phase: 'removing' }, findings: [] };
  const ref = { region: pinned.region, generation: pinned.generation };
  const next = { ...state, log: state.log + 1, bundle: 0, tiles: [] };
  const findings: Finding[] = [];
  try {
    const { region: _, ...plain } = pinned;
    const log = await openPinned(pinned.region, plain, context);
    const given = { log, ref, into: state.into, until: new Date(state.until), stateBackups: context.stateBackups };
    let edge = edgeOf(state);
    const begin = edge.size;
    for (let bundle = state.bundle; bundle < Math.min(log.bundles, state.bundle + pieceBundles); bundle++) {
      const piece = await rebuildBundle(edge, bundle, given);
      edge = piece.edge;
      findings.push(...piece.findings);
      if (piece.ended) return { state: { ...next, ...(await ended(edge, begin, log, state, findings, ref)) }, findings };
    }
    const going = {
      ...state,
      bundle: state.bundle + pieceBundles,
      tiles: edge.tiles.map(base64),
      entries: state.entries + edge.size - begin,
    };
    return { state: log.bundles === 0 ? next : going, findings };
  } catch (error) {
    return { state: next, findings: [{ ...damage(error, ref), code: 'AuditRestoreFailed' }] };
  }
}

async function ended(
  edge: RightEdge,
  begin: number,
  log: AuthenticLog,
  state: RestoreTest,
  findings: Finding[],
  ref: Pick<Finding, 'region' | 'generation'>,
) {
  const root = rootOfEdge(edge);
  const isTheLogs = isSame(root, await log.rootAt(edge.size));
  if (!isTheLogs && findings.length === 0)
    findings.push({
      code: 'AuditRestoreFailed',
      ...ref,
      subject: 'root',
      says: `the tree of ${edge.size} restored events has another root than the log`,
    });
  const rebuilt = isTheLogs ? [...state.rebuilt, `${ref.region}/${ref.generation}: ${edge.size} ${base64(root)}`] : state.rebuilt;
  return { entries: state.entries + edge.size - begin, rebuilt };
}

const edgeOf = ({ bundle, tiles }: RestoreTest): RightEdge =>
  bundle === 0
    ? emptyEdge
    : { size: bundle * 256, bundle: new Uint8Array(), tiles: tiles.map((tile) => new Uint8Array(Buffer.from(tile, 'base64'))) };

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
