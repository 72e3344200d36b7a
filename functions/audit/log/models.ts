import { z } from 'zod';
import { Timestamp } from '../../common/ids.ts';
import { EventId } from '../events/event.ts';

/** 2 to the power of 8, after C2SP tlog-tiles: hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 256;

/** Bytes of SHA-256. */
export const HASH_BYTES = 32;

/** Events that are sequenced at a time: their ids fit one DynamoDB item (400 KB) many times over. */
export const BATCH_LIMIT = 2048;

/**
 * Where one Region's log ends: one item, changed by conditional writes only. `claimed` is a batch that is part of history and not finished: whoever comes next finishes
 * it before anything else. Sizes count entries.
 */
export const LogHead = z.strictObject({
  /** Counts changes; every write names the one that it saw. */
  version: z.int().min(0),
  /** Which log (and key) of this Region: `audit.generation` when it began. */
  generation: z.int().min(1),
  /** Integrated, published and settled up to here. */
  size: z.int().min(0),
  /** Root at `size`, base64. */
  root: z.base64(),
  /** The batch that follows: entries `size` up to `claimed.size`, whose events are stored under `batchId`. */
  claimed: z.strictObject({ batchId: z.string().min(1), size: z.int().min(1) }).optional(),
  /** When the youngest run began that sequences: an older one that reads it ends. Saves work, and decides nothing. */
  run: Timestamp.optional(),
});
export type LogHead = z.output<typeof LogHead>;

/** Events in the order in which the log takes them. Immutable, stored before it is claimed. */
export const Batch = z.strictObject({
  batchId: z.string().min(1),
  generation: z.int().min(1),
  /** Index of its first entry. */
  from: z.int().min(0),
  eventIds: z.array(EventId).max(BATCH_LIMIT),
  /** Only in the first batch of a log that follows another: its entry before all events. */
  predecessor: z.string().optional(),
});
export type Batch = z.output<typeof Batch>;

/** What a checkpoint says (C2SP tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** Root hash of the tree of that size, 32 bytes. */
  readonly root: Uint8Array;
}
