import { availableParallelism } from 'node:os';
import { LogDamaged } from '../../../functions/audit/errors.ts';
import { cosignaturesIn } from '../../../functions/audit/log/cosignature.ts';
import type { Checkpoint } from '../../../functions/audit/log/models.ts';
import type { WitnessTrust } from '../../../functions/audit/proof/verify-bundle.ts';
import { authenticLog, isSame } from '../../../functions/audit/watch/authentic-log.ts';
import { LogRewritten } from '../../../functions/audit/watch/errors.ts';
import { leafIn } from '../../../functions/audit/watch/judge-event.ts';
import { type Generation, judgeGenerations } from '../../../functions/audit/watch/judge-generations.ts';
import type { VerifiedStretch } from '../../../functions/audit/watch/verify-stretch.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import type { Report } from '../../progress.ts';
import type { CliHost } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';
import { copiedLogs, openedBy, type RefusedLog, type SignedLog } from './copied-logs.ts';
import { logFiles } from './log-files.ts';
import { verifyTree } from './stretches.ts';
import { type TrustOptions, trustGiven } from './trust.ts';

export interface CopyOptions extends TrustOptions {
  /** Files with checkpoints that somebody kept from earlier. */
  readonly seen?: readonly string[];
}

/** One generation of the copy. */
export interface VerifiedGeneration {
  readonly directory: string;
  /** Of its checkpoint; absent where no given key signed that. */
  readonly checkpoint?: { readonly origin: string; readonly size: number /** Base64. */; readonly root: string };
  /** Entries that were read, and hash to the signed root. */
  readonly entries: number;
  readonly wrong: readonly string[];
}

export interface VerifiedCopy {
  readonly holds: boolean;
  readonly logs: readonly VerifiedGeneration[];
  /** Kept checkpoints of logs that are not in the copy. */
  readonly missing: readonly string[];
}

interface KeptCheckpoint {
  readonly file: string;
  readonly checkpoint: Checkpoint;
}

/**
 * Verifies a log that lies in a directory, as a copy of its bucket does, with nothing but the files and the keys: every entry and every tile against the signed checkpoint, each
 * generation against the one before, the witnesses' signatures, and checkpoints that were kept from earlier.
 *
 * @throws MisusedCommand without a key; InvalidInput when there is no log, a file cannot be read, or a kept checkpoint is signed by none of the keys; NoteRefused for a key that is none
 */
export async function verifyCopy(
  directory: string,
  options: CopyOptions,
  host: Pick<CliHost, 'readFile'>,
  report: Report,
): Promise<VerifiedCopy> {
  const { keys, witnesses } = await trustGiven('copy', options, host);
  const kept = await Promise.all((options.seen ?? []).map((file) => keptIn(file, keys, host)));
  const found = await copiedLogs(directory, keys);
  const generations: Generation[] = [];
  const logs: VerifiedGeneration[] = [];
  for (const log of found) {
    if ('refused' in log) {
      logs.push({ directory: log.directory, entries: 0, wrong: [log.refused] });
      continue;
    }
    const { ref, verifierKey, checkpoint } = log;
    const { entries, wrong, first } = await verifyLog(log, report);
    logs.push({
      directory: log.directory,
      checkpoint: { ...checkpoint, root: Buffer.from(checkpoint.root).toString('base64') },
      entries,
      wrong: [...wrong, ...cosignedToo(log, witnesses), ...(await keptToo(log, kept))],
    });
    // Of a tree that does not hash to its root nothing is known of its first entry either.
    generations.push({ ...ref, verifierKey, ...(wrong.length === 0 ? { log: { checkpoint, first: first && leafIn(first) } } : {}) });
  }
  const chained = chain(found, logs, generations);
  const missing = kept
    .filter(({ checkpoint }) => !found.some((log) => 'checkpoint' in log && log.checkpoint.origin === checkpoint.origin))
    .map(({ file, checkpoint }) => `${file} is a checkpoint of ${checkpoint.origin}, which is not in the copy`);
  return { holds: missing.length === 0 && chained.every(({ wrong }) => wrong.length === 0), logs: chained, missing };
}

async function keptIn(file: string, keys: readonly string[], host: Pick<CliHost, 'readFile'>): Promise<KeptCheckpoint> {
  const opened = openedBy(keys, await host.readFile(file));
  if ('refused' in opened) throw new InvalidInput(`${file}: ${opened.refused}`, { hint: 'Add the key of the log that it is of.' });
  return { file, checkpoint: opened.checkpoint };
}

async function verifyLog({ directory, checkpoint }: SignedLog, report: Report) {
  const { origin, size } = checkpoint;
  const stretches: VerifiedStretch[] = [];
  let entries = 0;
  try {
    const log = await authenticLog(logFiles(directory), checkpoint);
    await verifyTree(directory, log, availableParallelism(), (verified) => {
      stretches.push(verified);
      entries += verified.entries;
      report(`${origin}: ${10 * Math.floor((10 * entries) / size)} % of ${size} entries`);
    });
    const wrong = new Set(stretches.sort((a, b) => a.stretch - b.stretch).flatMap((stretch) => stretch.wrong));
    const [first] = size > 0 && wrong.size === 0 ? await log.entries(0) : [];
    return { entries, wrong: [...wrong], first };
  } catch (error) {
    return { entries, wrong: [damageOf(error)], first: undefined };
  }
}

function cosignedToo({ note }: SignedLog, witnesses: WitnessTrust | undefined): readonly string[] {
  if (!witnesses) return [];
  const { length } = cosignaturesIn(note, witnesses.keys);
  return length >= witnesses.quorum
    ? []
    : [`${length} of ${witnesses.keys.length} known witnesses cosigned its checkpoint; wanted: ${witnesses.quorum}`];
}

/** Whether the log still begins with what it was when somebody kept its checkpoint. */
async function keptToo({ directory, checkpoint }: SignedLog, kept: readonly KeptCheckpoint[]): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { file, checkpoint: seen } of kept) {
    if (seen.origin !== checkpoint.origin) continue;
    if (seen.size > checkpoint.size) wrong.push(`it ends at ${checkpoint.size} entries, and had ${seen.size} in ${file}`);
    else if (!(await beginsWith(seen, directory, checkpoint)))
      wrong.push(`it does not begin with the ${seen.size} entries that it had in ${file}: that is another history`);
  }
  return wrong;
}

async function beginsWith(seen: Checkpoint, directory: string, checkpoint: Checkpoint): Promise<boolean> {
  try {
    const log = await authenticLog(logFiles(directory), checkpoint);
    return isSame(await log.rootAt(seen.size), seen.root);
  } catch (error) {
    damageOf(error);
    return true; // what is damaged was told of, and says nothing about another history
  }
}

/** @throws what is no damage of the log */
function damageOf(error: unknown): string {
  if (error instanceof LogRewritten || error instanceof LogDamaged) return error.message;
  throw error;
}

/** Adds to each log what is wrong with its place among the others. */
function chain(
  found: readonly (SignedLog | RefusedLog)[],
  logs: readonly VerifiedGeneration[],
  generations: readonly Generation[],
): readonly VerifiedGeneration[] {
  const findings = judgeGenerations(generations);
  return logs.map((log, index) => {
    const each = found[index];
    const own = each && 'ref' in each ? findings.filter(({ generation }) => generation === each.ref.generation) : [];
    return { ...log, wrong: [...log.wrong, ...own.map(({ says }) => says)] };
  });
}

export function renderVerifiedCopy({ holds, logs, missing }: VerifiedCopy, { colours }: Pick<Terminal, 'colours'>): string {
  const verdict = holds
    ? colours.green('The copy holds: every entry hashes to the checkpoint that its key signed.')
    : colours.red('The copy does not hold.');
  const lines = logs.flatMap(({ directory, checkpoint, entries, wrong }) => [
    `  ${checkpoint ? `${checkpoint.origin}: ${entries} of ${checkpoint.size} entries hash to root ${checkpoint.root}` : directory}`,
    ...wrong.map((each) => `    ${colours.red('✗')} ${each}`),
  ]);
  const more = 'A copy may end before its log does: keep its checkpoint, and hold a later copy against it with --seen.';
  return [verdict, ...lines, ...missing.map((each) => `  ${colours.red('✗')} ${each}`), colours.dim(more)].join('\n');
}
