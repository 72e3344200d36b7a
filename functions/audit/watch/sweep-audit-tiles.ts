import { z } from 'zod';
import { before, days, minutes } from '../../common/duration.ts';
import { Locked } from '../../common/errors.ts';
import { inParallel } from '../../common/in-parallel.ts';
import type { PortsFor } from '../../common/ports.ts';
import { daily } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { openNote } from '../log/checkpoint.ts';
import { logKey } from '../log/log-key.ts';
import { authenticLog } from './authentic-log.ts';
import { recordIntent, recordOutcome } from './counted-act.ts';
import { objectsOf } from './published-logs.ts';
import { removableWidths, type StoredTile, sizeAt, storedTiles } from './sweep-plan.ts';

const needs = ['audit-objects:read', 'audit-objects:sweep', 'checkpoint-signer:public-key'] as const;
export type SweepContext = PortsFor<(typeof needs)[number]> & TaskContext;

/** Objects of one run; what is left over is the next day's. 60 bytes of path each. */
const planLimit = 200_000;
/** A checkpoint that was read is good for so long, as the locks are. */
const stood = days(2);
const removalsAtATime = 16;
const spare = minutes(1);

interface Superseded {
  readonly tile: StoredTile;
  /** `tile/0` or `tile/entries`, of a generation. */
  readonly row: string;
  /** Ascending. */
  readonly paths: readonly string[];
}

/**
 * Removes partial tiles and bundles of this Region's log that a wider one took the place of, once their lock of two days is over. Its role can do that and nothing else: full tiles,
 * checkpoints and keys are out of its reach, and S3 refuses what is locked.
 */
export const sweepAuditTiles = defineTask({
  name: 'sweep-audit-tiles',
  summary: 'Removes partial tiles of the audit log that were replaced by wider ones, once their lock is over.',
  schedule: daily('02:15'),
  runsIn: 'every',
  timeout: minutes(15),
  memoryMegabytes: 512,
  needs,
  input: z.strictObject({}),
  async run(_, context) {
    const { region, clock } = context;
    const planned = await planSweep(context);
    const count = planned.reduce((sum, { paths }) => sum + paths.length, 0);
    if (count === 0) return { planned: 0, removed: 0, locked: 0 };
    const act = { actor: 'task/sweep-audit-tiles', action: 'sweep-audit-tiles', resource: region, startedAt: clock.now() };
    await recordIntent(act, { planned: count }, context);
    const done: Done = { removed: 0, locked: 0, lockedFrom: new Map() };
    let complete = false;
    try {
      await inParallel(removalsAtATime, planned, (superseded) => remove(superseded, done, context));
      complete = true;
    } finally {
      await recordOutcome(act, complete ? 'success' : 'failure', { planned: count, removed: done.removed, locked: done.locked }, context);
    }
    return { planned: count, removed: done.removed, locked: done.locked };
  },
});

/** What a wider one took the place of, in every generation that has a checkpoint. One whose checkpoint is not its key's is left alone. @throws NoteRefused, LogRewritten, LogDamaged */
async function planSweep({ auditObjects, region, operations, checkpointSigner, clock }: SweepContext): Promise<readonly Superseded[]> {
  const planned: Superseded[] = [];
  let count = 0;
  for (let generation = 1; generation <= operations.audit.generation; generation++) {
    const note = await auditObjects.get(region, `${generation}/checkpoint`);
    if (!note) continue;
    const { verifierKey } = await logKey(generation, { operations, region, checkpointSigner });
    const log = await authenticLog(
      objectsOf(auditObjects, { region, generation }),
      openNote(Buffer.from(note).toString('utf8'), verifierKey),
    );
    const size = await sizeAt(log, before(clock.now(), stood));
    const prefix = `${generation}/`;
    for await (const tile of storedTiles(withoutPrefix(auditObjects.list(region, `${prefix}tile/`), prefix))) {
      const paths = removableWidths(tile, size).map((width) => `${prefix}${tile.path}.p/${width}`);
      if (paths.length > 0) planned.push({ tile, row: prefix + tile.path.split('/').slice(0, 2).join('/'), paths });
      count += paths.length;
      if (count >= planLimit) return planned;
    }
  }
  return planned;
}

async function* withoutPrefix(paths: AsyncIterable<string>, prefix: string): AsyncGenerator<string> {
  for await (const path of paths) yield path.slice(prefix.length);
}

interface Done {
  removed: number;
  locked: number;
  /** By row, the first tile that was found locked: those after it are younger. */
  readonly lockedFrom: Map<string, number>;
}

/** The oldest first. Whoever is locked has none but younger ones after it. */
async function remove({ tile, row, paths }: Superseded, done: Done, { auditObjects, clock, deadline }: SweepContext): Promise<void> {
  for (const path of paths) {
    if (tile.index > (done.lockedFrom.get(row) ?? Number.POSITIVE_INFINITY)) return;
    if (clock.now().getTime() > deadline.getTime() - spare * 1000) return;
    try {
      await auditObjects.removeSuperseded(path);
      done.removed++;
    } catch (error) {
      if (!(error instanceof Locked)) throw error;
      done.locked++;
      done.lockedFrom.set(row, Math.min(tile.index, done.lockedFrom.get(row) ?? tile.index));
      return;
    }
  }
}
