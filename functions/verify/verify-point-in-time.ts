import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import { NotFound } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import { defineTask } from '../common/task.ts';
import { newVerification } from './verification.ts';

/** Restores to a random second of the log window and verifies it (row V4). */
export const verifyPointInTime = defineTask({
  name: 'verify-point-in-time',
  summary: 'Restores each database to a random second of its log window and verifies it.',
  schedule: (operations) => [{ key: '', schedule: operations.verification.pointInTime, input: {} }],
  runsIn: 'active',
  needs: ['databases:describe', 'executions:start'],
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, databases, executions, region, clock } = context;
    const started = [];
    for (const database of operations.databases.filter((each) => each.pointInTime.enabled)) {
      const live = await databases.describe(database.id, region);
      if (!live.earliestRestorableAt || !live.latestRestorableAt) throw new NotFound(`${database.id} has no point-in-time window`);
      const time = randomSecond(live.earliestRestorableAt, live.latestRestorableAt, randomInt);
      const record = newVerification({
        databaseId: database.id,
        region,
        purpose: 'point-in-time',
        target: { kind: 'point-in-time', time: timestamp(time) },
        now: clock.now(),
      });
      const act = {
        actor: 'task/verify-point-in-time',
        action: 'start-verification',
        resource: record.verificationId,
        details: { time: timestamp(time) },
      };
      await audited(context, act, () =>
        executions.start({ region, machine: 'verify-recovery-point', name: record.verificationId, input: record }),
      );
      started.push({ verificationId: record.verificationId, time: timestamp(time) });
    }
    return { started };
  },
});

/** A whole second in `[from, to]`, each equally likely. `random(n)` gives an integer in `[0, n)`. @throws NotFound when there is none */
export function randomSecond(from: Date, to: Date, random: (limit: number) => number): Date {
  const first = Math.ceil(from.getTime() / 1000);
  const last = Math.floor(to.getTime() / 1000);
  if (last < first) throw new NotFound(`there is no whole second between ${from.toISOString()} and ${to.toISOString()}`);
  return new Date((first + random(last - first + 1)) * 1000);
}
