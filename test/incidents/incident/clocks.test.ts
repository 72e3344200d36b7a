import { describe, expect, test } from 'vitest';
import { timestamp } from '../../../functions/common/ids.ts';
import { acknowledge } from '../../../functions/incidents/incident/acknowledge.ts';
import { incidentClocks } from '../../../functions/incidents/incident/clocks.ts';
import { enterPhase, phaseClocks } from '../../../functions/incidents/incident/phase.ts';
import { reopen, resolve } from '../../../functions/incidents/incident/resolve.ts';
import { changeSeverity } from '../../../functions/incidents/incident/severity.ts';
import type { Transition } from '../../../functions/incidents/incident/transition.ts';
import type { Incident, ResponsePhase, TimelineEntry } from '../../../functions/incidents/models.ts';
import { anIncident } from '../../support/incidents.ts';
import { minutesLater, policy } from './support.ts';

const by = (minute: number) => ({ by: 'alice', now: minutesLater(minute) });
const reason = 'because';

/** An incident of severity 2 (30 min, 8 h) after these changes. */
function storyOf(...changes: ((incident: Incident) => Transition)[]) {
  let incident = anIncident();
  const timeline: TimelineEntry[] = [];
  for (const change of changes) {
    const transition = change(incident);
    if (transition.kind !== 'done') throw new Error(transition.kind);
    incident = transition.incident;
    timeline.push(...transition.entries);
  }
  return { incident, timeline };
}
const acked = (minute: number) => (incident: Incident) => acknowledge(incident, by(minute), policy);
const resolvedAt = (minute: number) => (incident: Incident) => resolve(incident, { ...by(minute), reason });
const entered = (phase: ResponsePhase, minute: number) => (incident: Incident) => enterPhase(incident, { ...by(minute), phase });
const clocks = ({ incident, timeline }: ReturnType<typeof storyOf>, minute: number) =>
  incidentClocks(incident, timeline, minutesLater(minute));

describe('the clocks of the profile', () => {
  test('run, are kept, and are missed', () => {
    expect(clocks(storyOf(), 10).response).toEqual({
      deadline: timestamp(minutesLater(30)),
      status: 'running',
      seconds: 600,
      leftSeconds: 1200,
    });
    expect(clocks(storyOf(), 31).response).toMatchObject({ status: 'missed', leftSeconds: -60 });
    expect(clocks(storyOf(acked(30)), 31).response).toMatchObject({ status: 'kept', seconds: 1800 });
    expect(clocks(storyOf(acked(31)), 32).response).toMatchObject({ status: 'missed', at: timestamp(minutesLater(31)) });
    expect(clocks(storyOf(acked(1), resolvedAt(480)), 900).resolution).toMatchObject({ status: 'kept' });
    expect(clocks(storyOf(acked(1), resolvedAt(481)), 900).resolution).toMatchObject({ status: 'missed' });
  });

  test('who answered before it became worse has answered', () => {
    const raised = storyOf(acked(5), (incident) => changeSeverity(incident, { ...by(60), severity: 1, reason }, policy));
    expect(raised.incident.acknowledgements).toEqual([]);
    expect(clocks(raised, 61).response).toMatchObject({ status: 'kept', seconds: 300 });
  });

  test('begin again when it is opened again', () => {
    const back = storyOf(acked(5), resolvedAt(20), (incident) => reopen(incident, { ...by(60), reason }, policy));
    expect(clocks(back, 61).response).toMatchObject({ status: 'running', seconds: 60, deadline: timestamp(minutesLater(90)) });
  });

  test('what was over before anybody answered was responded to by its end', () => {
    expect(clocks(storyOf(resolvedAt(10)), 60).response).toMatchObject({ status: 'kept', seconds: 600 });
  });
});

describe('the five phases of the plan', () => {
  const statuses = (world: ReturnType<typeof storyOf>, minute: number) =>
    phaseClocks(world.incident, world.timeline, minutesLater(minute)).map(({ phase, status }) => `${phase} ${status}`);

  test('each has its time from the opening', () => {
    expect(phaseClocks(anIncident(), [], minutesLater(1)).map(({ until }) => until)).toEqual(
      [15, 60, 240, 1440, 7 * 1440].map((minute) => timestamp(minutesLater(minute))),
    );
  });

  test('kept, missed, under way and ahead', () => {
    const world = storyOf(entered('containment', 14), entered('eradication', 70));
    expect(statuses(world, 71)).toEqual(['detection kept', 'containment missed', 'eradication running', 'recovery ahead', 'lessons ahead']);
    expect(statuses(world, 241)).toContain('eradication missed');
  });

  test('one that was taken up again is not over', () => {
    const world = storyOf(entered('eradication', 12), entered('containment', 40));
    expect(statuses(world, 45)).toEqual(['detection kept', 'containment running', 'eradication ahead', 'recovery ahead', 'lessons ahead']);
    const again = storyOf(entered('eradication', 12), entered('containment', 40), entered('eradication', 61));
    expect(statuses(again, 62)).toContain('containment missed');
  });

  test('those that nobody named are over with the incident', () => {
    expect(statuses(storyOf(entered('containment', 10), resolvedAt(100)), 101)).toEqual([
      ...['detection kept', 'containment missed', 'eradication kept', 'recovery kept', 'lessons running'],
    ]);
  });
});
