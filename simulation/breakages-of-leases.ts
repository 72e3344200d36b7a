import type { CoordinationRecord } from '../functions/failover/models.ts';
import { Epoch } from '../functions/failover/models.ts';
import type { Breakage } from './breakages.ts';
import { brokenCoordination, brokenFences, inGuardians, inStep } from './broken-ports.ts';
import { standby } from './operations.ts';
import { toMicros } from './virtual-time.ts';

/** As a guardian would see it that does not know of claims: the old holder leads on. */
function unclaimed(record: CoordinationRecord | undefined): CoordinationRecord | undefined {
  if (record?.phase !== 'claimed' || !record.plan) return record;
  const { plan, ...rest } = record;
  return { ...rest, phase: 'active', epoch: Epoch.parse(record.epoch - 1), holder: plan.from };
}

export const breakagesOfLeases: readonly Breakage[] = [
  {
    name: 'epoch-not-compared',
    says: 'The database takes a lease of any epoch.',
    flaws: { server: { epochNotCompared: true } },
  },
  {
    name: 'no-check-at-commit',
    says: 'The database looks at the lease when a statement writes, and not again at commit.',
    flaws: { server: { noCommitCheck: true } },
  },
  {
    name: 'lease-forgotten-at-restart',
    says: 'The lease is kept in memory: a database that was restarted takes every write.',
    flaws: { server: { leaseForgottenAtStart: true } },
  },
  {
    name: 'lease-from-the-wrong-clock',
    says: 'A guardian reckons the end of the lease from its own clock when it tells the database, after the renewal.',
    flaws: {
      ports: brokenFences(inGuardians, (fence, process, { operations }) => ({
        renew: (lease) =>
          fence.renew({ ...lease, untilMicros: process.clock.now().getTime() * 1000 + toMicros(operations.failover.lease.length) }),
      })),
    },
  },
  {
    name: 'lease-without-the-record',
    says: 'A guardian gives the lease although its renewal of the record was refused.',
    flaws: {
      ports: brokenCoordination(inGuardians, (coordination) => ({
        replace: (record) => coordination.replace(record).catch(() => record),
      })),
    },
  },
  {
    name: 'renewal-while-claimed',
    says: 'A guardian renews the lease of the old holder while its epoch is claimed.',
    flaws: {
      ports: brokenCoordination(inGuardians, (coordination) => ({
        read: async () => unclaimed(await coordination.read()),
        replace: async (record) => {
          const stored = await coordination.read();
          return stored?.phase === 'claimed' ? record : coordination.replace(record);
        },
      })),
    },
  },
  {
    name: 'receipt-without-closing',
    says: 'The guardian says that it closed its databases, and did not.',
    flaws: { ports: brokenFences(inGuardians, (fence) => ({ close: () => fence.position() })) },
  },
  {
    name: 'closing-mark-ignored',
    says: 'A planned change does not wait until the replica has the last write.',
    flaws: {
      ports: brokenFences(inStep('measure-loss'), (fence) => ({
        state: async () => ({ ...(await fence.state()), closedFor: Epoch.parse(1_000_000) }),
      })),
    },
  },
  {
    name: 'one-guardian-alone',
    says: 'Only the guardian of the leading Region renews.',
    flaws: {
      ports: brokenCoordination(
        (process) => inGuardians(process) && process.region === standby,
        () => ({ read: async () => undefined }),
      ),
    },
  },
];
