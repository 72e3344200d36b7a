import type { Checkpoint, LogHead } from '../log/models.ts';
import type { Finding, LogRef } from './finding.ts';

/** The head as it was read before the checkpoints and after them, and the checkpoints of all generations. */
export interface HeadAndLogs {
  readonly region: LogRef['region'];
  readonly before: LogHead | undefined;
  readonly after: LogHead | undefined;
  /** By generation; those that are published. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
}

/**
 * Whether the sequencer's head and the published checkpoint are of one history. Only what a sequencer never undoes is used, so that one at work is not accused: a head moves
 * to a size after the checkpoint of that size is published, and a checkpoint is published for a batch that the head has claimed. Hence the checkpoint is no older than
 * the head that was read before it, and no newer than what the head that was read after it holds or claims.
 */
export function judgeHead({ region, before, after, checkpoints }: HeadAndLogs): readonly Finding[] {
  const findings: Finding[] = [];
  const find = (generation: number, code: Finding['code'], says: string) =>
    findings.push({ code, region, generation, subject: 'head', says });
  if (before && before.size > 0) {
    const size = checkpoints.get(before.generation)?.size ?? 0;
    if (size < before.size) find(before.generation, 'AuditLogTruncated', `the head stands at ${before.size}, the checkpoint at ${size}`);
  }
  for (const [generation, checkpoint] of checkpoints) {
    if (after && generation < after.generation) continue; // closed: what follows commits to its end
    const [reached, known] =
      !after || generation > after.generation
        ? [0, 'is not known to the head']
        : [after.claimed?.size ?? after.size, `is ahead of the head, which stands at ${after.size}`];
    if (checkpoint.size > reached) find(generation, 'AuditLogTruncated', `the checkpoint at ${checkpoint.size} ${known}`);
    for (const head of [before, after]) {
      if (head?.generation !== generation || head.size !== checkpoint.size) continue;
      if (head.root !== Buffer.from(checkpoint.root).toString('base64')) {
        find(generation, 'AuditLogForked', `head and checkpoint have different roots at ${head.size}`);
        break;
      }
    }
  }
  return findings;
}
