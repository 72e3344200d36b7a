import type { Clock } from '../../common/clock.ts';
import type { Region, Timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { AuditHead, AuditObjects, AuditQueue, CheckpointSigner, Witnesses } from '../ports.ts';
import type { RightEdge } from './append.ts';
import { BATCH_LIMIT, type LogHead } from './models.ts';

/** What sequencing one Region's log takes. */
export interface SequencerPorts {
  readonly operations: Pick<Operations, 'name' | 'audit'>;
  readonly region: Region;
  readonly clock: Pick<Clock, 'now'>;
  readonly auditHead: AuditHead;
  readonly auditQueue: Pick<AuditQueue, 'pending' | 'leaves' | 'settle'>;
  readonly auditObjects: Pick<AuditObjects, 'get' | 'create' | 'publishCheckpoint'>;
  readonly checkpointSigner: CheckpointSigner;
  readonly witnesses: Witnesses;
}

/**
 * What one loop keeps from pass to pass, to read and sign less. Everything in it can be had again, is used only where it fits the head that was just read, and is right
 * whatever happened meanwhile.
 */
export interface SequencerMemory {
  /** When this run began; absent where a pass is not part of a run that others relieve. */
  readonly run?: Timestamp;
  /** Events that a batch takes: `BATCH_LIMIT`, less in tests and simulations. */
  readonly batchLimit: number;
  /** Of the tree that this loop finished last. */
  edge?: { readonly generation: number; readonly edge: RightEdge };
  /** Keys never change, and one generation has one. */
  key?: LogKey;
  /** The checkpoint that was signed last, with the cosignatures that it has so far. */
  signed?: { readonly text: string; note: string };
  /** Witnesses that did not answer, by their verifier key, and until when (milliseconds since 1970) they are not waited for. */
  readonly silentUntil: Map<string, number>;
}

/** The public half of the key of one generation. */
export interface LogKey {
  readonly generation: number;
  /** The log's, and so the key's name. */
  readonly origin: string;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** C2SP signed-note. */
  readonly verifierKey: string;
}

export const sequencerMemory = (given: Partial<Pick<SequencerMemory, 'run' | 'batchLimit'>> = {}): SequencerMemory => ({
  batchLimit: BATCH_LIMIT,
  silentUntil: new Map(),
  ...given,
});

/** Never back to an older run: whoever finishes a batch although it is relieved leaves the younger one its place. */
export function runOf(head: LogHead, { run }: SequencerMemory): Pick<LogHead, 'run'> {
  const youngest = head.run === undefined || (run !== undefined && run > head.run) ? run : head.run;
  return youngest === undefined ? {} : { run: youngest };
}

/** What one pass did. */
export interface Sequenced {
  /**
   * `lost-race`: another sequencer wrote the head first, or this one's own write stands and its answer was lost; the next pass finds out. `relieved`: a younger run has
   * the log, this one is to end.
   */
  readonly did: 'nothing' | 'integrated' | 'lost-race' | 'relieved';
  /** Events that are in the published log since this pass. */
  readonly events: number;
  /** From recording to integration, the longest of them. */
  readonly seconds?: number;
  /** Events that were seen to wait when the pass began; at most those of a batch. */
  readonly waiting: number;
  /** Witnesses that did not cosign what was published. */
  readonly lateWitnesses: number;
  /** Why those of them did not that were asked, a sentence each. */
  readonly witnessesSay?: readonly string[];
}
