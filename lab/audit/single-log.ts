import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { acceptEvents } from '../../functions/audit/events/accept.ts';
import type { EventId } from '../../functions/audit/events/event.ts';
import { recordEvents } from '../../functions/audit/events/record.ts';
import type { Batch, LogHead } from '../../functions/audit/log/models.ts';
import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import { type SequencerPorts, sequencerMemory } from '../../functions/audit/log/sequencer.ts';
import type { AuditEvents, AuditHead, CheckpointSigner, RecordedEvent } from '../../functions/audit/ports.ts';
import type { Clock } from '../../functions/common/clock.ts';
import { days } from '../../functions/common/duration.ts';
import { InvalidInput, NotFound } from '../../functions/common/errors.ts';
import type { Region } from '../../functions/common/ids.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { memoryCheckpointSigner } from '../../functions/memory/audit/checkpoint-signer.ts';
import { memoryWitnesses } from '../../functions/memory/audit/witnesses.ts';
import { auditObjectsIn, LockedFiles } from './locked-files.ts';

/** What a log in a directory is made with. */
export interface SingleLogOptions {
  /** The log lies in `<dir>/<generation>`. */
  readonly dir: string;
  readonly operations: Operations;
  readonly region: Region;
  readonly clock: Clock;
  readonly signer?: CheckpointSigner;
  /** Where a log that is in the directory ends. */
  readonly head?: LogHead | undefined;
}

/**
 * One Region's log as files below a directory, made by the deployed code: events come in as JSON, are accepted, recorded and sequenced. Only what DynamoDB does is in this
 * process's memory, as plain maps, so that what is measured and judged is the log.
 */
export class SingleLog {
  readonly files: LockedFiles;
  readonly signer: CheckpointSigner;
  readonly generation: number;
  readonly ports: SequencerPorts & { readonly auditEvents: Pick<AuditEvents, 'record'> };
  readonly #memory = sequencerMemory();
  readonly #options: SingleLogOptions;

  constructor(options: SingleLogOptions) {
    const { dir, operations, region, clock } = options;
    this.#options = options;
    this.files = new LockedFiles(dir, clock, days(operations.audit.retention.days));
    this.signer = options.signer ?? memoryCheckpointSigner({ region, secret: Buffer.from('single log') });
    this.generation = operations.audit.generation;
    const { auditEvents, auditQueue } = plainQueue();
    this.ports = {
      ...{ operations, region, clock, auditEvents, auditQueue },
      auditHead: plainHead(options.head),
      auditObjects: auditObjectsIn(this.files),
      checkpointSigner: this.signer,
      witnesses: memoryWitnesses(),
    };
  }

  /** Where the log's own paths begin. */
  get root(): string {
    return join(this.#options.dir, String(this.generation));
  }

  /** A log of its own, in another directory, that begins as this one is now. */
  async copyTo(dir: string): Promise<SingleLog> {
    cpSync(this.#options.dir, dir, { recursive: true, preserveTimestamps: true });
    return new SingleLog({ ...this.#options, dir, signer: this.signer, head: await this.ports.auditHead.read() });
  }

  /** Takes events as their JSON. @throws InvalidInput when one of them is refused */
  async take(lines: readonly string[]): Promise<void> {
    const { operations, region, clock } = this.#options;
    const given: unknown[] = lines.map((line) => JSON.parse(line));
    const acceptance = { policy: operations.audit, now: clock.now(), submittedBy: 'arn:aws:iam::000000000000:role/records' };
    const { accepted, rejected } = acceptEvents(given, acceptance);
    const recorded = await recordEvents(accepted, { auditEvents: this.ports.auditEvents, region, clock, log: silentLogger });
    const refused = rejected[0] ?? recorded.find((each) => each.status !== 'recorded');
    if (refused)
      throw new InvalidInput(`event ${refused.index} was not recorded: ${'reason' in refused ? refused.reason : refused.status}`);
  }

  /** Takes all that waits into the log. @returns events */
  async sequence(): Promise<number> {
    let total = 0;
    for (;;) {
      const { did, events } = await sequenceOnce(this.ports, this.#memory);
      total += events;
      if (did === 'nothing') return total;
    }
  }
}

/** Events and their queue. What is settled is let go, so that a log of millions can be made. */
function plainQueue(): { readonly auditEvents: Pick<AuditEvents, 'record'>; readonly auditQueue: SequencerPorts['auditQueue'] } {
  const waiting = new Map<EventId, RecordedEvent>();
  return {
    auditEvents: {
      async record(event) {
        if (waiting.has(event.eventId)) return 'already';
        waiting.set(event.eventId, event);
        return 'recorded';
      },
    },
    auditQueue: {
      async pending(limit) {
        const oldest: RecordedEvent[] = [];
        for (const event of waiting.values()) {
          if (oldest.length === limit) break;
          oldest.push(event);
        }
        return oldest;
      },
      async leaves(eventIds) {
        return new Map(
          eventIds.map((eventId) => {
            const found = waiting.get(eventId);
            if (!found) throw new NotFound(`event ${eventId} was never recorded`);
            return [eventId, found.leaf];
          }),
        );
      },
      async settle(settled) {
        for (const eventId of settled.keys()) waiting.delete(eventId);
      },
    },
  };
}

function plainHead(begin: LogHead | undefined): AuditHead {
  let head = begin;
  let last: Batch | undefined;
  return {
    read: async () => head,
    async write(next) {
      if (next.version !== (head?.version ?? 0) + 1) return false;
      head = next;
      return true;
    },
    async putBatch(batch) {
      last = batch;
    },
    batch: async (batchId) => (last?.batchId === batchId ? last : undefined),
  };
}
