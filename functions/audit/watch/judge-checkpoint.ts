import { messageOf } from '../../common/errors.ts';
import { NoteRefused } from '../errors.ts';
import { openNote } from '../log/checkpoint.ts';
import type { Checkpoint } from '../log/models.ts';
import type { SeenCheckpoint } from '../ports.ts';
import { isSame } from './authentic-log.ts';
import type { Finding, LogRef } from './finding.ts';

/** What is published of one generation, and what is known of it from outside. */
export interface Published extends LogRef {
  /** Of `<generation>/checkpoint`; absent where none is stored. */
  readonly note?: string;
  /** Of the key in its store, under the origin that the log must have. */
  readonly verifierKey: string;
  /** What `<generation>/verifier-key` tells others. */
  readonly toldKey?: string;
  readonly last?: SeenCheckpoint;
}

export interface Judged {
  /** What is published, when it is signed by the log's key and not older than what was seen. */
  readonly checkpoint?: Checkpoint;
  /** What was seen the last time, when it is signed by the log's key. */
  readonly seen?: Checkpoint;
  readonly findings: readonly Finding[];
}

/**
 * Judges a checkpoint against the log's key and against the last one that was seen. What was seen pins the key: it carries that key's signature, so under any other key it
 * does not open.
 */
export function judgeCheckpoint({ region, generation, note, verifierKey, toldKey, last }: Published): Judged {
  const find = (code: Finding['code'], subject: string, says: string): Judged => ({
    findings: [{ code, region, generation, subject, says }],
  });
  const seen = last && opened(last.note, verifierKey);
  if (typeof seen === 'string')
    return find(
      'AuditLogForked',
      'verifier-key',
      `the checkpoint that was seen at ${last?.size} is not signed by the key that the log has now: ${seen}`,
    );
  if (note === undefined) {
    return last ? find('AuditLogTruncated', 'checkpoint', `there is no checkpoint; ${last.size} entries were seen`) : { findings: [] };
  }
  if (toldKey?.trimEnd() !== verifierKey) {
    return find(
      'AuditLogForked',
      'verifier-key',
      toldKey === undefined ? 'the verifier key is not told' : 'the verifier key that is told is not that of the key which signs',
    );
  }
  const checkpoint = opened(note, verifierKey);
  if (typeof checkpoint === 'string') return find('AuditLogForked', 'checkpoint', `the checkpoint is not one of this log: ${checkpoint}`);
  if (!seen) return { checkpoint, findings: [] };
  if (checkpoint.size < seen.size)
    return { ...find('AuditLogTruncated', 'checkpoint', `the log has ${checkpoint.size} entries; ${seen.size} were seen`), seen };
  if (checkpoint.size === seen.size && !isSame(checkpoint.root, seen.root)) {
    return { ...find('AuditLogForked', 'checkpoint', `another root than the one that was seen is signed for ${seen.size} entries`), seen };
  }
  return { checkpoint, seen, findings: [] };
}

/** @returns why not, as text, when the key did not sign it */
function opened(note: string, verifierKey: string): Checkpoint | string {
  try {
    return openNote(note, verifierKey);
  } catch (error) {
    if (error instanceof NoteRefused) return messageOf(error);
    throw error;
  }
}
