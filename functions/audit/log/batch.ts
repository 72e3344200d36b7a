import { createHash } from 'node:crypto';
import { LogDamaged } from '../errors.ts';
import type { Batch, LogHead } from './models.ts';

type Content = Omit<Batch, 'batchId'>;

/**
 * A batch under the id that its content gives it: SHA-256 (hex) of generation, place, predecessor and ids in order. Two sequencers that choose differently for one place
 * never meet under one id, and two that choose the same store one batch.
 */
export function batchOf({ generation, from, eventIds, predecessor }: Content): Batch {
  const content = JSON.stringify([generation, from, predecessor ?? null, eventIds]);
  const batchId = createHash('sha256').update(content).digest('hex');
  return { batchId, generation, from, eventIds, ...(predecessor === undefined ? {} : { predecessor }) };
}

/** Index of the entry after its last. */
export const endOf = ({ from, eventIds, predecessor }: Content): number => from + eventIds.length + (predecessor === undefined ? 0 : 1);

/** The batch that a head claims, as it was stored. @throws LogDamaged when it is not the one that was claimed */
export function claimedBatch({ generation, size, claimed }: LogHead, stored: Batch | undefined): Batch {
  const isTheOne =
    stored !== undefined &&
    batchOf(stored).batchId === claimed?.batchId &&
    stored.generation === generation &&
    stored.from === size &&
    endOf(stored) === claimed.size;
  if (isTheOne) return stored;
  throw new LogDamaged(`the batch that follows entry ${size} of generation ${generation} is not the one that was claimed`, {
    hint: 'The table of the audit log was changed by somebody else than its sequencer. Nothing is signed until it holds the batch again: see the runbook AuditLogRewritten.',
  });
}
