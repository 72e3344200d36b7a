import type { Region } from '../../common/ids.ts';
import { auditLogOrigin } from '../../common/names.ts';
import type { Operations } from '../../common/operations.ts';
import type { ReadObject } from '../log/append.ts';
import { openNote, verifierKey } from '../log/checkpoint.ts';
import type { Checkpoint } from '../log/models.ts';
import type { AuditObjects, CheckpointSigner } from '../ports.ts';

export interface LogPorts {
  readonly operations: Pick<Operations, 'name' | 'audit'>;
  readonly auditObjects: Pick<AuditObjects, 'get'>;
  readonly checkpointSigner: Pick<CheckpointSigner, 'publicKey'>;
}

/** One log as it is published at a moment. */
export interface PublishedLog {
  /** The signed note, as it is stored. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
  /** Reads every object once: several proofs share most of their tiles. */
  readonly read: ReadObject;
}

/** Opens logs, each once, so that all proofs are against one checkpoint. Undefined where none is published. */
export interface OpenedLogs {
  (region: Region, generation: number): Promise<PublishedLog | undefined>;
  /** Newest generation that there can be. */
  readonly newest: number;
}

/** The key comes from where keys are kept, never from beside the log. */
export function openedLogs({ operations, auditObjects, checkpointSigner }: LogPorts): OpenedLogs {
  const opened = new Map<string, Promise<PublishedLog | undefined>>();

  async function open(region: Region, generation: number): Promise<PublishedLog | undefined> {
    const bytes = await auditObjects.get(region, `${generation}/checkpoint`);
    if (!bytes) return undefined;
    const note = Buffer.from(bytes).toString();
    const key = verifierKey(auditLogOrigin(operations, region, generation), await checkpointSigner.publicKey(region, generation));
    return { note, checkpoint: openNote(note, key), read: readOnce((path) => auditObjects.get(region, `${generation}/${path}`)) };
  }

  const log = (region: Region, generation: number) => {
    const key = `${region} ${generation}`;
    const known = opened.get(key) ?? open(region, generation);
    opened.set(key, known);
    return known;
  };
  return Object.assign(log, { newest: operations.audit.generation });
}

function readOnce(read: ReadObject): ReadObject {
  const known = new Map<string, ReturnType<ReadObject>>();
  return (path) => {
    const reading = known.get(path) ?? read(path);
    if (path.startsWith('tile/entries/')) return reading; // read by searches only, and too large to keep
    known.set(path, reading);
    return reading;
  };
}
