import type { Region } from '../../functions/common/ids.ts';
import { memoryCheckpointSigner } from '../../functions/memory/audit/checkpoint-signer.ts';
import { memoryAuditEvents } from '../../functions/memory/audit/events.ts';
import { memoryAuditHead } from '../../functions/memory/audit/head.ts';
import { memoryAuditObjects, type ObjectVersions } from '../../functions/memory/audit/objects.ts';
import { memoryAuditQueue } from '../../functions/memory/audit/queue.ts';
import { memoryAuditWatchMemory } from '../../functions/memory/audit/watch-memory.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { auditCheckpointSignerContract } from '../contracts/audit-checkpoint-signer.contract.ts';
import { auditEventsContract } from '../contracts/audit-events.contract.ts';
import { auditHeadContract } from '../contracts/audit-head.contract.ts';
import { auditObjectsContract } from '../contracts/audit-objects.contract.ts';
import { auditQueueContract } from '../contracts/audit-queue.contract.ts';
import { auditWatchMemoryContract } from '../contracts/audit-watch-memory.contract.ts';
import { home } from '../support/incidents.ts';

const freshStore = () => memoryItemStore(manualClock('2026-11-21T07:00:00Z'));

auditEventsContract(async () => {
  const store = freshStore();
  return { in: (region) => memoryAuditEvents({ store, region }), auditQueue: memoryAuditQueue({ store, region: home }) };
});
auditQueueContract(async () => {
  const store = freshStore();
  return { auditEvents: memoryAuditEvents({ store, region: home }), auditQueue: memoryAuditQueue({ store, region: home }) };
});
auditHeadContract(async () => {
  const store = freshStore();
  return [memoryAuditHead({ store, region: home }), memoryAuditHead({ store, region: home })];
});
auditWatchMemoryContract(async () => memoryAuditWatchMemory(freshStore()));
auditCheckpointSignerContract(async () => (region: Region) => memoryCheckpointSigner({ region, secret: Buffer.from('a secret') }));
auditObjectsContract(async () => {
  const clock = manualClock('2026-11-21T07:00:00Z');
  const versions: ObjectVersions = new Map();
  return {
    in: (region) => memoryAuditObjects({ region, clock, keptDays: 2557, versions }),
    twoDaysLater: async () => clock.advance(2 * 86_400 + 1),
  };
});
