import type { Signal, Triage } from '../models.ts';
import { type TriageContext, untilUndisturbed, writePlan } from './carry-out.ts';
import { readState } from './read-state.ts';
import { triage } from './triage.ts';

/**
 * What becomes of a batch of signals (ADR 9): reads what is known, decides, writes, and has people told. It may die anywhere and be repeated, with these signals or in other batches: the signals
 * are recorded last, and one that is recorded changes nothing any more.
 *
 * @returns how many signals had which outcome; those that were known are not counted
 * @throws Conflict, ServiceUnavailable: the whole batch is to be tried again
 */
export async function triageBatch(
  signals: readonly Signal[],
  context: TriageContext,
): Promise<Readonly<Partial<Record<Triage['outcome'], number>>>> {
  const { incidents, operations, clock, log } = context;
  const decisions = await untilUndisturbed(clock, async () => {
    const now = clock.now();
    const plan = triage(signals, await readState(signals, context, now), operations.incidents, now);
    await writePlan(plan, context);
    return plan.decisions;
  });
  const first = new Set(await incidents.record(decisions));
  const counts: Partial<Record<Triage['outcome'], number>> = {};
  for (const { triage: told } of decisions) {
    if (first.has(told.signalId)) counts[told.outcome] = (counts[told.outcome] ?? 0) + 1;
  }
  log.info('signals triaged', { ...counts });
  return counts;
}
