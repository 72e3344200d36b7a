import { Duration } from '../functions/common/duration.ts';
import type { Breakage } from './breakages.ts';
import { brokenCoordination, inObservers, inStep } from './broken-ports.ts';
import { operatedRegions } from './operations.ts';

export const breakagesOfVotes: readonly Breakage[] = [
  {
    name: 'votes-never-expire',
    says: 'A vote counts however old it is.',
    flaws: {
      operations: (operations) => ({
        ...operations,
        failover: { ...operations.failover, observe: { ...operations.failover.observe, voteMaxAge: Duration.parse(1_000_000) } },
      }),
    },
  },
  {
    name: 'one-vote-is-a-majority',
    says: 'What one observer says counts for all three.',
    flaws: {
      ports: brokenCoordination(inObservers, (coordination) => ({
        votes: async () => {
          const votes = await coordination.votes();
          return votes.flatMap((vote) => operatedRegions.map((observer) => ({ ...vote, observer })));
        },
      })),
    },
  },
  {
    name: 'unchanged-since-another-version',
    says: 'An observer counts for how long it has watched, whichever versions of the record it saw.',
    flaws: {
      ports: brokenCoordination(inObservers, (coordination, process) => {
        const began = process.clock.now().getTime();
        return {
          castVote: (vote) =>
            coordination.castVote({ ...vote, lease: { ...vote.lease, unchangedSeconds: (process.clock.now().getTime() - began) / 1000 } }),
        };
      }),
    },
  },
  {
    name: 'wait-by-comparing-clocks',
    says: 'The claimant waits until its own clock shows the end of the lease that a guardian wrote down.',
    flaws: {
      ports: brokenCoordination(inStep('claim-epoch'), (coordination, process, { operations, table }) => ({
        votes: async () => {
          const votes = await coordination.votes();
          const { lease } = operations.failover;
          const left = Math.max(0, Date.parse(table.record?.leaseUntil ?? '') - process.clock.now().getTime()) / 1000;
          const unchangedSeconds = Math.max(0, lease.length + lease.margin - left);
          return votes.map((vote) => ({ ...vote, lease: { version: table.record?.version ?? 0, unchangedSeconds } }));
        },
      })),
    },
  },
  {
    name: 'open-is-finished',
    says: 'Observers take a change for finished as soon as its Region leads, whoever was still to tell and to record it.',
    flaws: {
      ports: brokenCoordination(inObservers, (coordination) => ({
        read: async () => {
          const record = await coordination.read();
          return record?.phase === 'active' ? { ...record, committed: undefined } : record;
        },
      })),
    },
  },
  {
    name: 'nobody-resumes',
    says: 'Observers start a failover once, and nobody takes over an execution that died.',
    flaws: {
      ports: (ports, process) => {
        const { executions } = ports;
        if (!executions || !inObservers(process)) return ports;
        const firstOnly: typeof executions.start = async (request) => {
          if (/^failover-\d+$/.test(request.name)) await executions.start(request);
        };
        return { ...ports, executions: { ...executions, start: firstOnly } };
      },
    },
  },
];
