import type { Leaf } from '../events/leaf.ts';
import type { Checkpoint } from '../log/models.ts';
import type { Finding, LogRef } from './finding.ts';

/** One generation that is published or was seen. */
export interface Generation extends LogRef {
  readonly verifierKey: string;
  /** Its end and its first entry (undefined where that is no leaf of ours); absent where the log was refused, which is a finding of its own. */
  readonly log?: { readonly checkpoint: Checkpoint; readonly first: Leaf | undefined };
}

/**
 * Whether each log follows the one before: its first entry commits to that one's end, which stands still from then on.
 *
 * @param generations of one Region, oldest first; a log was read after its successor, so that it was closed by then
 */
export function judgeGenerations(generations: readonly Generation[]): readonly Finding[] {
  return generations.flatMap(({ region, generation, log }, index) => {
    if (!log) return [];
    const before = generations[index - 1];
    const { first } = log;
    const claimed = first?.format === 'codeblue-audit-predecessor/1' ? first : undefined;
    const find = (code: Finding['code'], of: number, says: string): Finding[] => [
      { code, region, generation: of, subject: 'predecessor', says },
    ];
    if (!before) return claimed ? find('AuditLogTruncated', generation, `it follows ${claimed.origin}, of which nothing is there`) : [];
    if (!before.log) return [];
    const { origin, size, root } = before.log.checkpoint;
    if (!claimed) return find('AuditLogForked', generation, `its first entry does not commit to the end of ${origin}`);
    if (claimed.origin !== origin || claimed.verifierKey !== before.verifierKey)
      return find('AuditLogForked', generation, 'it does not follow the log before it, or not its key');
    const closed = `it was closed at ${claimed.size} entries by the log that follows it`;
    if (size < claimed.size) return find('AuditLogTruncated', before.generation, `${closed} and has ${size}`);
    if (size > claimed.size) return find('AuditLogForked', before.generation, `${closed} and has ${size}`);
    return claimed.root === Buffer.from(root).toString('base64')
      ? []
      : find('AuditLogForked', before.generation, `${closed}, and with another root`);
  });
}
