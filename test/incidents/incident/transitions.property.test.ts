import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timestamp } from '../../../functions/common/ids.ts';
import type { Severity } from '../../../functions/common/incident-policy.ts';
import { duePages } from '../../../functions/incidents/escalation/due-pages.ts';
import { acknowledge, answeredUntil } from '../../../functions/incidents/incident/acknowledge.ts';
import { declareBreach } from '../../../functions/incidents/incident/breach.ts';
import { incidentClocks } from '../../../functions/incidents/incident/clocks.ts';
import { goOn, pause } from '../../../functions/incidents/incident/pause.ts';
import { enterPhase } from '../../../functions/incidents/incident/phase.ts';
import { reopen, resolve } from '../../../functions/incidents/incident/resolve.ts';
import { changeSeverity } from '../../../functions/incidents/incident/severity.ts';
import type { Transition } from '../../../functions/incidents/incident/transition.ts';
import { isOver } from '../../../functions/incidents/is-over.ts';
import { Incident, ResponsePhase, type TimelineEntry } from '../../../functions/incidents/models.ts';
import { onCallOf } from '../../../functions/incidents/on-call/on-call.ts';
import { anIncident } from '../../support/incidents.ts';
import { minutesLater, policy } from './support.ts';

const person = fc.constantFrom('alice', 'bob', 'carol', 'arn:aws:iam::111122223333:role/oncall');
const act = fc.oneof(
  fc.record({ act: fc.constant('acknowledge' as const) }),
  fc.record({ act: fc.constant('resolve' as const) }),
  fc.record({ act: fc.constant('reopen' as const) }),
  fc.record({ act: fc.constant('severity' as const), severity: fc.constantFrom(...([1, 2, 3, 4] satisfies Severity[])) }),
  fc.record({ act: fc.constant('phase' as const), phase: fc.constantFrom(...ResponsePhase.options) }),
  fc.record({ act: fc.constant('pause' as const), forMinutes: fc.integer({ min: -5, max: 900 }) }),
  fc.record({ act: fc.constant('go-on' as const) }),
  fc.record({ act: fc.constant('breach' as const), agoMinutes: fc.integer({ min: -5, max: 600 }) }),
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;
const story = fc.array(fc.record({ by: person, waitMinutes: fc.integer({ min: 0, max: 400 }), what: act }), { maxLength: 25 });
const beginnings = fc.record({ severity: fc.constantFrom(...([1, 2, 3] satisfies Severity[])), policy: fc.constantFrom('default', 'two') });

const reason = 'because';
function apply(incident: Incident, what: Act, wanted: { readonly by: string; readonly now: Date }): Transition {
  const inMinutes = (count: number) => new Date(wanted.now.getTime() + count * 60_000);
  switch (what.act) {
    case 'acknowledge':
      return acknowledge(incident, wanted, policy);
    case 'resolve':
      return resolve(incident, { ...wanted, reason });
    case 'reopen':
      return reopen(incident, { ...wanted, reason }, policy);
    case 'severity':
      return changeSeverity(incident, { ...wanted, severity: what.severity, reason }, policy);
    case 'phase':
      return enterPhase(incident, { ...wanted, phase: what.phase });
    case 'pause':
      return pause(incident, { ...wanted, until: inMinutes(what.forMinutes), reason });
    case 'go-on':
      return goOn(incident, wanted);
    case 'breach':
      return declareBreach(incident, { ...wanted, knownAt: inMinutes(-what.agoMinutes) });
  }
}

interface Step {
  readonly before: Incident;
  readonly after: Incident;
  readonly what: Act;
  readonly transition: Transition;
  readonly now: Date;
  readonly timeline: readonly TimelineEntry[];
}

function* play(beginning: Partial<Incident>, acts: readonly { by: string; waitMinutes: number; what: Act }[]): Generator<Step> {
  let incident = anIncident(beginning);
  let minute = 0;
  const timeline: TimelineEntry[] = [];
  for (const { by, waitMinutes, what } of acts) {
    minute += waitMinutes;
    const now = minutesLater(minute);
    const transition = apply(incident, what, { by, now });
    const before = incident;
    if (transition.kind === 'done') {
      incident = transition.incident;
      timeline.push(...transition.entries);
    }
    yield { before, after: incident, what, transition, now, timeline: [...timeline] };
  }
}

const holds = (check: (step: Step) => void) =>
  fc.assert(
    fc.property(beginnings, story, (beginning, acts) => {
      for (const step of play(beginning, acts)) check(step);
    }),
    { numRuns: 400 },
  );

describe('whatever people do to an incident', () => {
  test('it stays one that can be stored, and each change has its line', () =>
    holds(({ after, transition }) => {
      expect(Incident.parse(after)).toEqual(after);
      if (transition.kind === 'done') expect(transition.entries.length).toBeGreaterThan(0);
      expect((after.status === 'resolved') === (after.resolvedAt !== undefined && after.resolvedBy !== undefined)).toBe(true);
    }));

  test('a generation begins when it becomes worse or comes back, and with nothing else', () =>
    holds(({ before, after, now }) => {
      const begins = (!isOver(before) && after.severity < before.severity) || (isOver(before) && !isOver(after));
      expect(after.generation - before.generation).toBe(begins ? 1 : 0);
      if (begins) expect(after).toMatchObject({ acknowledgements: [], escalatesFrom: timestamp(now), status: 'triggered' });
    }));

  test('a deadline that was missed stays, until it is opened again', () =>
    holds(({ before, after, what, now }) => {
      if (what.act === 'reopen') return;
      for (const deadline of ['respondBy', 'resolveBy'] as const) {
        if (before[deadline] <= timestamp(now)) expect(after[deadline] <= before[deadline]).toBe(true);
      }
    }));

  test('a clock that was missed stays missed', () =>
    fc.assert(
      fc.property(beginnings, story, (beginning, acts) => {
        let missed: string[] = [];
        for (const { after, what, transition, now, timeline } of play(beginning, acts)) {
          if (what.act === 'reopen' && transition.kind === 'done') missed = [];
          const { response, resolution } = incidentClocks(after, timeline, now);
          const found = [...(response.status === 'missed' ? ['response'] : []), ...(resolution.status === 'missed' ? ['resolution'] : [])];
          expect(found).toEqual(expect.arrayContaining(missed));
          missed = found;
        }
      }),
      { numRuns: 400 },
    ));

  test('nobody is told of what is answered, paused or over, and an acknowledged status means that it was answered', () =>
    holds(({ after, what, transition, now }) => {
      const { stage, pages } = duePages(after, policy, onCallOf(policy, []), now, { pages: [] });
      const quiet = isOver(after) || (after.pausedUntil ?? '') > timestamp(now) || answeredUntil(after, policy, now) !== undefined;
      if (quiet) expect(pages).toEqual([]);
      else if (policy.severities[after.severity].pages) expect(['telling', 'exhausted']).toContain(stage);
      if (what.act === 'acknowledge' && transition.kind === 'done') {
        expect(after.status === 'acknowledged').toBe(answeredUntil(after, policy, now) !== undefined);
      }
    }));

  test('what is over changes by opening it again, by its lessons and by the law alone', () =>
    holds(({ before, transition, what }) => {
      if (isOver(before) && transition.kind === 'done') expect(['reopen', 'phase', 'breach']).toContain(what.act);
    }));
});
