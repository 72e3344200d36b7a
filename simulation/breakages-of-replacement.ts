import { Duration } from '../functions/common/duration.ts';
import { timestamp } from '../functions/common/ids.ts';
import { Epoch } from '../functions/failover/models.ts';
import type { Breakage } from './breakages.ts';
import { brokenCoordination, brokenFences, inStep } from './broken-ports.ts';

const isReplacement = (record: { readonly plan?: { readonly kind: string } | undefined } | undefined): boolean =>
  record?.plan?.kind === 'replace';

export const breakagesOfReplacement: readonly Breakage[] = [
  {
    name: 'replaced-one-not-closed',
    says: 'A replacement does not wait until the damaged database is closed.',
    flaws: {
      ports: brokenCoordination(inStep('await-fence'), (coordination, process, { table }) => ({
        receipt: async (region, epoch) => {
          const found = await coordination.receipt(region, epoch);
          if (found || !isReplacement(table.record)) return found;
          return { region, epoch, at: timestamp(process.clock.now()), databases: [] };
        },
      })),
    },
  },
  {
    name: 'swap-before-the-commit',
    says: 'The copy is put in the place of the damaged database before the record is committed to it.',
    flaws: {
      ports: brokenCoordination(inStep('commit-promotion', 'promote-replica', 'await-promotion'), (coordination, { name }) => ({
        read: async () => {
          const record = await coordination.read();
          const pretends = !name.startsWith('step commit-promotion ') && isReplacement(record) && record?.phase === 'claimed';
          return pretends ? { ...record, phase: 'promoting' as const } : record;
        },
        replace: async (record) => (isReplacement(record) ? record : coordination.replace(record)),
      })),
    },
  },
  {
    name: 'copy-as-it-was-restored',
    says: 'A database is replaced by a copy of a moment ago that is given no lease of its epoch first: it inherits one that runs still.',
    flaws: {
      operations: (operations, { name }) => {
        if (!name.startsWith('cli replace ')) return operations;
        const none = Duration.parse(0);
        return { ...operations, failover: { ...operations.failover, lease: { ...operations.failover.lease, length: none, margin: none } } };
      },
      ports: (ports, process) => {
        const { fences } = ports;
        if (!fences || !inStep('measure-loss')(process)) return ports;
        const openCopy: typeof fences.openCopy = async (copy) => ({ ...(await fences.openCopy(copy)), renew: async () => true });
        return { ...ports, fences: { ...fences, openCopy } };
      },
    },
  },
  {
    name: 'replaced-one-takes-a-lease',
    says: 'A database that was replaced takes the lease of the epoch that belongs to its replacement, and nobody looks whose name it was.',
    flaws: {
      server: { replacedTakesLeases: true },
      ports: brokenFences(
        () => true,
        (fence) => ({ state: async () => ({ ...(await fence.state()), replacedIn: undefined }) }),
      ),
    },
  },
  {
    name: 'replica-of-the-damaged-one',
    says: 'What a replica lacks is measured without asking which primary it follows.',
    flaws: {
      ports: brokenCoordination(inStep('measure-loss'), (coordination) => ({
        read: async () => {
          const record = await coordination.read();
          return record && { ...record, primarySince: Epoch.parse(1) };
        },
      })),
    },
  },
];
