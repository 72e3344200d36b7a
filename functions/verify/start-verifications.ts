import { z } from 'zod';
import { audited } from '../audit/audited.ts';
import type { RecoveryPoint } from '../backup/models.ts';
import { minutes } from '../common/duration.ts';
import type { Region } from '../common/ids.ts';
import { every } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import { newVerification } from './verification.ts';

/** A backup whose verification ended without a verdict this often is left to people: each failure has raised an alarm. */
const attempts = 3;

/** Starts the verification of every backup that nobody has judged yet (row V1). */
export const startVerifications = defineTask({
  name: 'start-verifications',
  summary: 'Starts a verification for every available backup that has no verdict.',
  schedule: every(minutes(15)),
  runsIn: 'active',
  catchUp: false,
  needs: ['recovery-points:read', 'executions:start'],
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, recoveryPoints, executions, region, clock } = context;
    const started = [];
    for (const database of operations.databases) {
      for (const { point, snapshotId } of pointsToVerify(await recoveryPoints.list(database.id), region)) {
        for (let attempt = 1; attempt <= attempts; attempt++) {
          const target = { kind: 'recovery-point', recoveryPointId: point.id, snapshotId } as const;
          const record = newVerification({ databaseId: database.id, region, purpose: 'backup', target, now: clock.now(), attempt });
          const execution = { region, machine: 'verify-recovery-point', name: record.verificationId } as const;
          const status = (await executions.describe(execution))?.status;
          if (status === 'running') break;
          if (status !== undefined) continue; // it ended and nobody wrote a verdict down: the machine itself failed
          const act = { actor: 'task/start-verifications', action: 'start-verification', resource: record.verificationId };
          await audited(context, act, () => executions.start({ ...execution, input: record }));
          started.push(record.verificationId);
          break;
        }
      }
    }
    return { started };
  },
});

/**
 * Points whose home snapshot is available here and was not judged yet, oldest first; a verdict on a copy says nothing of the home snapshot.
 * One without a manifest is still being taken, or a backup that failed: judging it now could only refuse it. One whose verification is
 * running has no verdict yet either: its execution's name is taken, so starting it again changes nothing.
 */
export function pointsToVerify(
  points: readonly RecoveryPoint[],
  region: Region,
): readonly { readonly point: RecoveryPoint; readonly snapshotId: string }[] {
  return [...points]
    .sort((a, b) => a.requestedAt.localeCompare(b.requestedAt))
    .flatMap((point) => {
      const home = point.locations.find(
        (location) => location.region === region && location.role === 'home' && location.status === 'available',
      );
      return home && !home.verdict && point.manifestSha256 ? [{ point, snapshotId: home.snapshotId }] : [];
    });
}
