import type { Region } from '../../common/ids.ts';

/**
 * What is wrong with a log. Each is the name of its metric, its alarm and its runbook.
 *
 * - `AuditLogTruncated`: the log, or its head, ends before a place where it was seen to end.
 * - `AuditLogForked`: another history, or another key, stands where this log stood: the tiles are sound, and they are not those of the log that was seen.
 * - `AuditLogRewritten`: tiles or entries do not hash to the signed checkpoint above them.
 * - `AuditLogGap`: entries of the log and events of the table do not answer to each other.
 * - `AuditLogStale`: events wait and the checkpoint does not move.
 * - `AuditEventNotIntegrated`: an event waits for longer than `audit.watch.integratedWithin`.
 * - `AuditBodyAltered`: a body is not the one that its leaf commits to, or is gone without having been erased.
 * - `AuditRestoreFailed`: the tree that was rebuilt from a restored backup is not the log's.
 */
export const findingCodes = [
  'AuditLogTruncated',
  'AuditLogForked',
  'AuditLogRewritten',
  'AuditLogGap',
  'AuditLogStale',
  'AuditEventNotIntegrated',
  'AuditBodyAltered',
  'AuditRestoreFailed',
] as const;
export type FindingCode = (typeof findingCodes)[number];

export interface Finding {
  readonly code: FindingCode;
  /** Whose log it is. */
  readonly region: Region;
  readonly generation: number;
  /** An id of an event, or a path in the log: what is looked at again to see whether the finding stands. */
  readonly subject: string;
  /** What was found there, in ids, sizes and paths. */
  readonly says: string;
}

/** One generation of one Region's log. */
export interface LogRef {
  readonly region: Region;
  readonly generation: number;
}

/** What makes two findings the same one. */
export const findingKey = ({ code, region, generation, subject }: Finding): string => `${code}:${region}/${generation}:${subject}`;

/** Those of `again` that were found `before`: what a second look confirms. */
export function confirmed(before: readonly Finding[], again: readonly Finding[]): readonly Finding[] {
  const known = new Set(before.map(({ code, region, generation }) => `${code}:${region}/${generation}`));
  return again.filter(({ code, region, generation }) => known.has(`${code}:${region}/${generation}`));
}
