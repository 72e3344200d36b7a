import { verifierKey } from '../../functions/audit/log/checkpoint.ts';
import { sequenceOnce } from '../../functions/audit/log/sequence.ts';
import type { RecordedEvent } from '../../functions/audit/ports.ts';
import type { ProvePorts } from '../../functions/audit/proof/prove.ts';
import type { Region } from '../../functions/common/ids.ts';
import { auditLogOrigin } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { memoryCheckpointSigner } from '../../functions/memory/audit/checkpoint-signer.ts';
import { memoryAuditEvents } from '../../functions/memory/audit/events.ts';
import { memoryAuditHead } from '../../functions/memory/audit/head.ts';
import { memoryAuditObjects, type ObjectVersions } from '../../functions/memory/audit/objects.ts';
import { memoryAuditQueue } from '../../functions/memory/audit/queue.ts';
import { memoryWitnesses } from '../../functions/memory/audit/witnesses.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { testOperations } from './operations.ts';

/** The logs of two Regions over one table of events, each with its own queue, head and objects, as they are in AWS. */
export function provableLogs(audit: Partial<Operations['audit']> = {}) {
  const defaults = testOperations();
  const operations = { ...defaults, audit: { ...defaults.audit, ...audit } };
  const clock = manualClock('2026-11-21T12:00:00.000Z');
  const store = memoryItemStore(clock);
  const versions: ObjectVersions = new Map();
  const secret = Buffer.from('provable');
  const portsOf = (region: Region, settings: Pick<Operations, 'name' | 'audit'> = operations) => ({
    ...{ operations: settings, region, clock },
    auditEvents: memoryAuditEvents({ store, region }),
    auditHead: memoryAuditHead({ store, region }),
    auditObjects: memoryAuditObjects({ region, clock, keptDays: 10, versions }),
    auditQueue: memoryAuditQueue({ store, region }),
    checkpointSigner: memoryCheckpointSigner({ region, secret }),
    witnesses: memoryWitnesses(),
  });
  return {
    ...{ operations, versions, portsOf },
    home: operations.regions.primary,
    away: operations.regions.standby,
    async record(...events: readonly RecordedEvent[]) {
      for (const event of events) await portsOf(event.region).auditEvents.record(event);
    },
    async sequence(region: Region, settings: Pick<Operations, 'name' | 'audit'> = operations) {
      while ((await sequenceOnce(portsOf(region, settings))).did === 'integrated');
    },
    async keyOf(region: Region, generation = 1): Promise<string> {
      const { checkpointSigner } = portsOf(region);
      return verifierKey(auditLogOrigin(operations, region, generation), await checkpointSigner.publicKey(region, generation));
    },
    /** What proving takes, from one Region. */
    provePorts: (region: Region): ProvePorts => portsOf(region),
  };
}
