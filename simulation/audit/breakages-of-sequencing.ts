import { batchOf, endOf } from '../../functions/audit/log/batch.ts';
import type { LogHead } from '../../functions/audit/log/models.ts';
import type { PendingEntry } from '../../functions/audit/ports.ts';
import type { AuditBreakage } from './audit-breakages.ts';
import type { SimulatedPorts } from './audit-ports.ts';

const withoutClaim = ({ claimed: _, ...head }: LogHead): LogHead => head;

/** The head as somebody takes it for who overlooks a claim. */
const forgetfulOf = (auditHead: SimulatedPorts['auditHead'], forgets: (head: LogHead) => boolean): SimulatedPorts['auditHead'] => ({
  ...auditHead,
  read: async () => {
    const head = await auditHead.read();
    return head && forgets(head) ? withoutClaim(head) : head;
  },
});

export const breakagesOfSequencing: readonly AuditBreakage[] = [
  {
    name: 'claim-without-condition',
    says: 'The head is written over whatever stands there.',
    flaws: {
      ports: (ports, { store, call }) => ({
        ...ports,
        auditHead: {
          ...ports.auditHead,
          write: (next) =>
            call('head.write', () => {
              store.replaceHead(next);
              return true;
            }),
        },
      }),
    },
  },
  {
    name: 'loser-goes-on',
    says: 'Who loses the write of the head goes on with what was chosen.',
    flaws: {
      ports: (ports) => ({
        ...ports,
        auditHead: {
          ...ports.auditHead,
          write: async (next) => {
            await ports.auditHead.write(next);
            return true;
          },
        },
      }),
    },
  },
  {
    name: 'chosen-before-the-head-is-read',
    says: 'What waits is read first and the head afterwards.',
    flaws: {
      ports: (ports) => {
        const { auditHead, auditQueue } = ports;
        let chosen: readonly PendingEntry[] = [];
        return {
          ...ports,
          auditHead: {
            ...auditHead,
            read: async () => {
              chosen = await auditQueue.pending(300);
              return auditHead.read();
            },
          },
          auditQueue: { ...auditQueue, pending: async (limit) => chosen.slice(0, limit) },
        };
      },
    },
  },
  {
    name: 'places-not-checked',
    says: 'What the index shows is taken for what waits.',
    flaws: {
      ports: (ports, { store, call }) => ({
        ...ports,
        auditQueue: { ...ports.auditQueue, pending: (limit) => call('queue.index', () => store.items(store.shownAsWaiting(limit))) },
      }),
    },
  },
  {
    name: 'never-settled',
    says: 'Places are not noted.',
    flaws: { ports: (ports) => ({ ...ports, auditQueue: { ...ports.auditQueue, settle: async () => {} } }) },
  },
  {
    name: 'settled-when-chosen',
    says: 'Events leave the queue when they are chosen, before the claim stands.',
    flaws: {
      ports: (ports) => {
        const { auditHead, auditQueue } = ports;
        return {
          ...ports,
          auditHead: {
            ...auditHead,
            putBatch: async (batch) => {
              await auditHead.putBatch(batch);
              const { generation, from, eventIds } = batch;
              await auditQueue.settle(new Map(eventIds.map((eventId, index) => [eventId, { generation, index: from + index }])));
            },
          },
        };
      },
    },
  },
  {
    name: 'head-before-settling',
    says: 'The claim is taken from the head before the places are noted.',
    flaws: {
      ports: (ports) => {
        const { auditHead, auditQueue } = ports;
        let unsettled: (() => Promise<void>) | undefined;
        return {
          ...ports,
          auditQueue: {
            ...auditQueue,
            settle: async (places) => {
              unsettled = () => auditQueue.settle(places);
            },
          },
          auditHead: {
            ...auditHead,
            write: async (next) => {
              const stands = await auditHead.write(next);
              if (!next.claimed) await unsettled?.();
              return stands;
            },
          },
        };
      },
    },
  },
  {
    name: 'claimed-batch-left',
    says: 'A batch that somebody else claimed is left to him, and the next one is claimed over it.',
    flaws: { ports: (ports) => ({ ...ports, auditHead: forgetfulOf(ports.auditHead, () => true) }) },
  },
  {
    name: 'rotation-drops-the-claim',
    says: 'A new generation begins although a batch of the old one is claimed.',
    flaws: {
      ports: (ports, { generation }) => ({ ...ports, auditHead: forgetfulOf(ports.auditHead, (head) => head.generation < generation) }),
    },
  },
  {
    name: 'batches-by-place',
    says: 'A batch is stored under its place in the log, and the last one that is stored there counts.',
    flaws: {
      ports: (ports, { store, call }) => {
        const { auditHead } = ports;
        const placeNameOf = (generation: number, from: number) => `${generation}-${from}`;
        /** The system knows batches by their content: under which name each was stored. */
        const names = new Map<string, string>();
        const stored = (name: string) => call('head.batch', () => store.batches.get(name));
        return {
          ...ports,
          auditHead: {
            putBatch: (batch) => {
              const name = placeNameOf(batch.generation, batch.from);
              names.set(batch.batchId, name);
              return call('head.put-batch', () => {
                store.batches.set(name, batch);
              });
            },
            batch: (batchId) => stored(names.get(batchId) ?? batchId),
            write: (next) =>
              auditHead.write(
                next.claimed ? { ...next, claimed: { ...next.claimed, batchId: placeNameOf(next.generation, next.size) } } : next,
              ),
            read: async () => {
              const head = await auditHead.read();
              const found = head?.claimed && (await stored(head.claimed.batchId));
              if (!head?.claimed || !found) return head;
              const { batchId } = batchOf(found);
              names.set(batchId, head.claimed.batchId);
              return { ...head, claimed: { batchId, size: endOf(found) } };
            },
          },
        };
      },
    },
  },
];
