import { z } from 'zod';
import { hours, minutes, secondsBetween } from '../../common/duration.ts';
import { CodeblueError, messageOf } from '../../common/errors.ts';
import type { PortsFor } from '../../common/ports.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { type CountedAct, recordIntent, recordOutcome } from './counted-act.ts';
import type { Finding } from './finding.ts';
import { takeHold } from './long-check.ts';
import { reportFindings } from './report-findings.ts';
import { beginRestoreTest, type RestorePiece, RestoreTest, rebuildPiece } from './restore-test.ts';

const needs = [
  'state-backups:restore',
  'audit-objects:read',
  'audit-head:read',
  'audit-watch-memory:read',
  'audit-watch-memory:write',
  'checkpoint-signer:public-key',
] as const;
export type RestoreContext = PortsFor<(typeof needs)[number]> & TaskContext;

const actor = 'task/restore-test-audit-log';
const codes = ['AuditRestoreFailed'] as const;
/** The sweeper of orphans takes restored tables for abandoned after six hours: the test is over before. */
const limit = hours(5);
/** Between two looks at a table that is being restored or removed. */
const poll = minutes(1);

/**
 * Restores the newest backup of the events into a temporary table, and rebuilds from it the trees of all Regions' logs: the order is the log's, the leaves are the
 * restored ones, and each root must be the one that the signed tree has at that size. The temporary table is removed whatever came of it.
 *
 * It goes on as the full verification does: what takes longer than one run is kept, and another run goes on every 20 minutes.
 */
export const restoreTestAuditLog = defineTask({
  name: 'restore-test-audit-log',
  summary: 'Rebuilds the audit log from a restored backup of the events and compares the roots.',
  schedule: ({ audit }) => [
    { key: '', schedule: audit.watch.restoreTest, input: {} },
    { key: 'go-on', schedule: every(minutes(20)), input: { begin: false } },
  ],
  runsIn: 'active',
  timeout: minutes(15),
  memoryMegabytes: 1024,
  needs,
  input: z.strictObject({ begin: z.boolean().default(true) }),
  async run({ begin }, context) {
    const { operations, auditWatchMemory, region, clock } = context;
    const begun = begin ? () => beginRestoreTest(context) : undefined;
    const check = await takeHold('restore-test-audit-log', RestoreTest, begun, { ...context, auditWatchMemory });
    if (!check) return { did: 'nothing' as const };
    const { backup, into } = check.state;
    const act: CountedAct = { actor, action: 'restore-test-audit-log', resource: into, startedAt: check.startedAt };
    await recordIntent(act, { backup, into }, context);
    let state = check.state;
    const findings: Finding[] = [];
    while (state.phase !== 'done' && check.hasTime()) {
      const piece = await pieceOf(state, secondsBetween(check.startedAt, clock.now()) > limit, context);
      // The acts of a piece before it is kept: a run that dies in between tells them again, not never.
      if (piece.findings.length > 0) await reportFindings(piece.findings, { actor, regions: [], codes }, context);
      findings.push(...piece.findings);
      state = { ...piece.state, found: state.found + piece.findings.length };
      if (!(await check.keep(state))) return { did: 'paused' as const, state, findings };
      if (piece.waits) await clock.sleep(poll * 1000);
    }
    const regions = [...new Set([...state.logs.map((log) => log.region), region, ...findings.map((finding) => finding.region)])];
    if (state.phase === 'done' || findings.length > 0) await reportFindings(findings, { actor, regions, codes }, context);
    await check.letGo(state, state.phase === 'done');
    if (state.phase !== 'done') return { did: 'paused' as const, state, findings };
    const { entries, found, rebuilt, unreachable } = state;
    const details = {
      backup,
      entries,
      found,
      rebuilt: rebuilt.join('; ').slice(0, 3000),
      unreachable: unreachable.join(' '),
      deployment: operations.name,
    };
    await recordOutcome(
      act,
      found === 0 ? 'success' : 'failure',
      { ...details, durationSeconds: secondsBetween(check.startedAt, clock.now()) },
      context,
    );
    return { did: 'finished' as const, state, findings };
  },
});

/** One piece; what goes wrong with it on the way is a finding, and the table is removed all the same. What can go better the next time is thrown. */
async function pieceOf(state: RestoreTest, isLate: boolean, context: RestoreContext): Promise<RestorePiece> {
  if (isLate && state.phase !== 'removing') return failed(state, `the test took longer than ${limit / 3600} h`, context);
  try {
    if (state.phase === 'restoring') return await restore(state, context);
    if (state.phase === 'rebuilding') return await rebuildPiece(state, context);
    return await remove(state, context);
  } catch (error) {
    if (state.phase === 'removing' || (error instanceof CodeblueError && error.retryable)) throw error;
    return failed(state, messageOf(error), context);
  }
}

function failed(state: RestoreTest, says: string, { region, operations }: RestoreContext): RestorePiece {
  const finding: Finding = {
    code: 'AuditRestoreFailed',
    region,
    generation: operations.audit.generation,
    subject: state.into,
    says: says.slice(0, 500),
  };
  return { state: { ...state, phase: 'removing' }, findings: [finding] };
}

async function restore(state: RestoreTest, { stateBackups }: RestoreContext): Promise<RestorePiece> {
  const status = await stateBackups.describeRestored(state.into);
  if (status === 'available') return { state: { ...state, phase: 'rebuilding' }, findings: [] };
  if (status === 'absent') await stateBackups.restore(stateBackups.eventsTable(), state.backup, state.into);
  return { state, findings: [], waits: true };
}

async function remove(state: RestoreTest, { stateBackups }: RestoreContext): Promise<RestorePiece> {
  if ((await stateBackups.describeRestored(state.into)) === 'absent') return { state: { ...state, phase: 'done' }, findings: [] };
  await stateBackups.removeRestored(state.into);
  return { state, findings: [], waits: true };
}
