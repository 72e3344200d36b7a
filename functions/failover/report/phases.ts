import { secondsBetween } from '../../common/duration.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import type { FailoverPlan, FailoverRecord, PhaseTime } from '../models.ts';

/** The phases that a report and a forecast speak of, in their order. */
export const phaseNames = ['notice', 'decide', 'fence', 'measure', 'promote', 'open', 'confirm', 'traffic', 'strength'] as const;
export type PhaseName = (typeof phaseNames)[number];

/** Ends the phase that is open and begins `name`; the phase that is open already goes on. */
export function enterPhase(record: FailoverRecord, name: PhaseName, now: Date): FailoverRecord {
  const last = record.phases.at(-1);
  if (last?.name === name && last.endedAt === undefined) return record;
  const ended = endPhases(record.phases, now);
  return { ...record, phases: [...ended, { name, startedAt: timestamp(now) }] };
}

/** What is open ends now. */
export const endPhases = (phases: readonly PhaseTime[], now: Date): PhaseTime[] =>
  phases.map((phase) => (phase.endedAt === undefined ? { ...phase, endedAt: timestamp(now) } : phase));

/** Seconds by phase; a phase that was entered twice counts once, with both times. */
export function phaseSeconds(phases: readonly PhaseTime[]): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const { name, startedAt, endedAt } of phases) {
    if (endedAt === undefined) continue;
    seconds.set(name, (seconds.get(name) ?? 0) + Math.max(0, secondsBetween(new Date(startedAt), new Date(endedAt))));
  }
  return seconds;
}

/** From here recovery time is counted: since something was wrong, or since somebody asked. */
export const outageStart = ({ outageSince, requestedAt }: FailoverPlan): Timestamp => outageSince ?? requestedAt;
