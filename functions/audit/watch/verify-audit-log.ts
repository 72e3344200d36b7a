import { z } from 'zod';
import { minutes, secondsBetween } from '../../common/duration.ts';
import type { PortsFor } from '../../common/ports.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { recordIntent, recordOutcome } from './counted-act.ts';
import type { Finding } from './finding.ts';
import { type LongCheck, takeHold } from './long-check.ts';
import { reportFindings } from './report-findings.ts';
import { beginVerification, Verification } from './verification.ts';
import { verifyEntries } from './verify-entries.ts';
import { verifyEvents } from './verify-events.ts';

const needs = [
  'audit-objects:read',
  'audit-head:read',
  'audit-queue:read',
  'audit-events:read',
  'audit-watch-memory:read',
  'audit-watch-memory:write',
  'checkpoint-signer:public-key',
] as const;
export type VerifyContext = PortsFor<(typeof needs)[number]> & TaskContext;

const actor = 'task/verify-audit-log';
const codes = [
  'AuditLogTruncated',
  'AuditLogForked',
  'AuditLogRewritten',
  'AuditLogGap',
  'AuditBodyAltered',
  'AuditEventNotIntegrated',
] as const;

/**
 * Reads this Region's whole log, entry by entry, and all its events: every tile and entry hashes to the signed checkpoint; every entry has its event, the same byte for byte; every body is
 * the one that its leaf commits to, or its erasing is recorded; every event has its place and stands there.
 *
 * **How it goes on.** A run lasts 15 minutes at most. It keeps after each piece how far it came (the checkpoints that it began with, the next bundle, the end of the last page), and
 * every 20 minutes a run goes on with a verification that is not finished; one that is, is begun anew by the daily schedule. What was begun against a checkpoint is verified against
 * that one, whatever is published meanwhile: what came later is the next day's.
 */
export const verifyAuditLog = defineTask({
  name: 'verify-audit-log',
  summary: "Verifies its Region's whole audit log, entry by entry, against the signed checkpoint, the events and their bodies.",
  schedule: ({ audit }) => [
    { key: '', schedule: audit.watch.full, input: {} },
    { key: 'go-on', schedule: every(minutes(20)), input: { begin: false } },
  ],
  runsIn: 'every',
  timeout: minutes(15),
  memoryMegabytes: 2048,
  needs,
  input: z.strictObject({ begin: z.boolean().default(true) }),
  async run({ begin }, context) {
    const { region, auditWatchMemory } = context;
    const check = await takeHold(`verify-audit-log/${region}`, Verification, begin ? () => beginVerification(context) : undefined, {
      ...context,
      auditWatchMemory,
    });
    if (!check) return { did: 'nothing' as const };
    const act = { actor, action: 'verify-audit-log', resource: region, startedAt: check.startedAt };
    await recordIntent(act, sizesOf(check.state), context);
    const { state, findings, stopped } = await goOn(check, context);
    await reportFindings(findings, { actor, regions: [region], codes }, context);
    await check.letGo(state, state.phase === 'done');
    if (stopped || state.phase !== 'done') return { did: 'paused' as const, state, findings };
    const durationSeconds = secondsBetween(check.startedAt, context.clock.now());
    const { entries, events, erased, found } = state;
    await recordOutcome(
      act,
      found === 0 ? 'success' : 'failure',
      { ...sizesOf(state), entries, events, erased, found, durationSeconds },
      context,
    );
    const dimensions = { Region: region };
    await context.metrics.put({
      capability: 'audit',
      name: metricNames.audit.verificationSeconds,
      value: durationSeconds,
      unit: 'Seconds',
      dimensions,
    });
    return { did: 'finished' as const, state, findings };
  },
});

/** Piece by piece, each kept before the next one begins. */
async function goOn(check: LongCheck<Verification>, context: VerifyContext) {
  const findings: Finding[] = [...check.state.atBegin];
  let state: Verification = { ...check.state, atBegin: [], found: check.state.found + check.state.atBegin.length };
  while (state.phase !== 'done' && check.hasTime()) {
    const piece = state.phase === 'entries' ? await verifyEntries(state, context) : await verifyEvents(state, check.startedAt, context);
    // The acts of a piece before it is kept: a run that dies in between tells them again, not never.
    if (piece.findings.length > 0) await reportFindings(piece.findings, { actor, regions: [], codes }, context);
    findings.push(...piece.findings);
    state = { ...piece.state, found: state.found + piece.findings.length };
    if (!(await check.keep(state))) return { state, findings, stopped: true };
  }
  return { state, findings, stopped: false };
}

/** `<generation>: <size> <root>` for each log. */
const sizesOf = ({ logs }: Verification): Record<string, string> =>
  Object.fromEntries(logs.map(({ generation, size, root }) => [`log-${generation}`, `${size} ${root}`]));
