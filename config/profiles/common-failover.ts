import { minutes, seconds } from '../../functions/common/duration.ts';
import { Region } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';

/** What both manuals leave open: how fast to notice, how long a lease is, who is asked. The numbers are argued in docs/adr/0006-failover-protocol.md. */
export const commonFailover = {
  // A human agrees first until a deployment has rehearsed and says otherwise.
  mode: 'approve',
  // us-east-1, us-west-2 and a witness: one Region set of DynamoDB's multi-Region strong consistency.
  witness: Region.parse('us-east-2'),
  lease: { length: seconds(20), margin: seconds(5), renewEvery: seconds(3) },
  observe: {
    every: seconds(5),
    timeout: seconds(2),
    // architecture.md, "Observe": a vote older than 30 s does not count.
    voteMaxAge: seconds(30),
    failuresToTrip: 3,
    successesToClear: 6,
    dwell: seconds(30),
  },
  coolDown: minutes(30),
  approvals: { by: [], expireAfter: minutes(30) },
  services: [],
  capacity: [],
  routing: {},
  evidence: { logGroups: {} },
} satisfies Partial<Operations['failover']>;
