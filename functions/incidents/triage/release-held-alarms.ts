import { z } from 'zod';
import { minutes } from '../../common/duration.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import { every } from '../../common/schedule.ts';
import { defineTask } from '../../common/task.ts';
import type { Incident, KnownAlarm } from '../models.ts';
import { Board, type Known } from './board.ts';
import { escalate, type TriageContext, triageNeeds, untilUndisturbed, writePlan } from './carry-out.ts';
import { shows } from './change-incident.ts';
import { flapping, type Quiet, quietFor, released } from './held-back.ts';
import { standingOf } from './known-alarm.ts';
import { place } from './place.ts';
import { readAround, readQuiet } from './read-state.ts';
import { newLines, reasonLines } from './timeline-lines.ts';
import type { TriagePlan } from './triage.ts';

/**
 * What becomes of alarms that were held back: those that still ring when nothing holds them back any more are put on an incident, once; afterwards they are held back no longer. Pure.
 */
function release(
  held: readonly KnownAlarm[],
  state: Known & Quiet & { readonly home: Region },
  policy: IncidentPolicy,
  now: Date,
): Omit<TriagePlan, 'decisions'> {
  const board = new Board(state, state.home);
  const reasons = newLines();
  const touched = new Set<Incident['id']>();
  for (const alarm of [...held].sort((a, b) => standingOf(a).severity - standingOf(b).severity)) {
    const standing = standingOf(alarm);
    const { heldBack, dedupKey } = alarm;
    if (heldBack === undefined || quietFor(alarm, standing.severity, state, now) || flapping(standing, policy.flapping, now)) continue;
    const on = board.openWith(dedupKey);
    if (!standing.rings || (on && shows(on, alarm, standing))) {
      board.putAlarm(released(on ? { ...alarm, incidentId: on.id } : alarm));
      if (on) touched.add(on.id);
      continue;
    }
    const cause = `${dedupKey} held back since ${heldBack.since}`;
    const placed = place(alarm, { board, policy, now, at: timestamp(now), cause, isNews: false });
    const { incident, says } = placed;
    board.putAlarm(released({ ...alarm, incidentId: incident.id }));
    touched.add(incident.id);
    const name = `${alarm.alarm} of ${alarm.subject} in ${alarm.region}`;
    const because = `still rings after ${heldBack.by} ${heldBack.name}, held back since ${heldBack.since}: ${says}`;
    const line = { at: timestamp(now), kind: 'decision' as const, by: 'triage', says: `${name} ${because}` };
    reasons.add(incident.id, [line, ...reasonLines(placed, name, policy, timestamp(now))]);
  }
  return { ...board.changes(), touched: [...touched].flatMap((id) => board.incident(id) ?? []), reasons: reasons.all(), timeline: [] };
}

/** Of the Region that this runs in. @returns how many are held back no longer @throws Conflict, ServiceUnavailable */
export async function releaseHeldAlarms(context: TriageContext): Promise<number> {
  return await untilUndisturbed(context.clock, async () => {
    const held = await context.incidents.heldBack();
    if (held.length === 0) return 0;
    const now = context.clock.now();
    const [known, quiet] = await Promise.all([readAround(held, held, context), readQuiet(context, now)]);
    const plan = release(held, { home: context.region, ...known, ...quiet }, context.operations.incidents, now);
    await writePlan(plan, context);
    return plan.alarms.length;
  });
}

/**
 * Every minute: alarms that still ring when the silence, the change window or their own flapping is over page somebody then. And every open incident of this Region has an
 * execution that tells people of it, whatever became of the batch that opened it.
 */
export const releaseHeldAlarmsTask = defineTask({
  name: 'release-held-alarms',
  summary: 'Pages for alarms that still ring when what held them back is over, and sees to it that every open incident is told.',
  schedule: ({ incidents }) => (incidents.mode === 'off' ? [] : [{ key: '', schedule: every(minutes(1)), input: {} }]),
  runsIn: 'every',
  catchUp: false,
  timeout: minutes(2),
  memoryMegabytes: 256,
  needs: triageNeeds,
  input: z.strictObject({}),
  async run(_, context) {
    const releasedAlarms = await releaseHeldAlarms(context);
    const open = (await context.incidents.open()).filter(({ home }) => home === context.region);
    await escalate(open, context);
    return { released: releasedAlarms, open: open.length };
  },
});
