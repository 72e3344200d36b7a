import { after, minutes } from '../../../common/duration.ts';
import { databaseOf } from '../../../common/operations-lookup.ts';
import { defineStep } from '../../../common/task.ts';
import { RehearsalRecord } from '../models.ts';
import { parted } from '../parting.ts';
import { copiesOf } from '../rehearsed-copies.ts';
import { act, found, inPhase } from './rehearsal-step.ts';

/** Asks for one temporary replica of each database, beside the real ones: the same kind of thing that a failover would promote. */
export const makeRehearsal = defineStep({
  name: 'make-rehearsal',
  summary: 'Makes temporary replicas beside the real ones, to rehearse with.',
  timeout: minutes(5),
  needs: ['coordination:read', 'replicas:rehearse'],
  input: RehearsalRecord,
  async run(record, context) {
    const { coordination, replicas, operations, clock } = context;
    const { leader, region } = record.request;
    const now = clock.now();
    const expiresAt = after(now, operations.verification.restoreLimit);
    const votes = await coordination.votes();
    let made = inPhase(record, 'make', now);
    for (const copy of copiesOf(operations, record.request)) {
      await act(context, record, { action: 'make-rehearsal', resource: copy.restoredId }, () =>
        replicas.createRehearsal({ ...copy, region, from: leader, expiresAt }),
      );
      if (made.databases.some(({ databaseId }) => databaseId === copy.databaseId)) continue;
      const rehearsed = { ...copy, writes: 0 };
      // A clone of Aurora shows the instant at which it was taken, and follows nothing afterwards.
      const isClone = databaseOf(operations, copy.databaseId).engine === 'aurora-postgres';
      made = { ...made, databases: [...made.databases, isClone ? parted(rehearsed, votes, now) : rehearsed] };
    }
    return found(made, 'creating', `temporary replicas are being made in ${region}`);
  },
});
