import { describe, expect, test } from 'vitest';
import { timestamp } from '../../../functions/common/ids.ts';
import type { Severity } from '../../../functions/common/incident-policy.ts';
import { duePages } from '../../../functions/incidents/escalation/due-pages.ts';
import { acknowledge } from '../../../functions/incidents/incident/acknowledge.ts';
import { declareBreach } from '../../../functions/incidents/incident/breach.ts';
import { addLink } from '../../../functions/incidents/incident/links.ts';
import { merge } from '../../../functions/incidents/incident/merge.ts';
import { goOn, pause } from '../../../functions/incidents/incident/pause.ts';
import { enterPhase } from '../../../functions/incidents/incident/phase.ts';
import { reopen, resolve } from '../../../functions/incidents/incident/resolve.ts';
import { giveRole } from '../../../functions/incidents/incident/roles.ts';
import { changeSeverity } from '../../../functions/incidents/incident/severity.ts';
import { whoIs } from '../../../functions/incidents/incident/who.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import { onCallOf } from '../../../functions/incidents/on-call/on-call.ts';
import { anIncident, dedupKeyOf, elsewhere } from '../../support/incidents.ts';
import { done, minutesLater, openedAt, policy } from './support.ts';

const by = (person: string, minute: number) => ({ by: person, now: minutesLater(minute) });
const pagesBy = (incident: Incident, minute: number) =>
  duePages(incident, policy, onCallOf(policy, []), minutesLater(minute), { pages: [] });
const reason = 'the disk was full';

describe('acknowledging', () => {
  test('stops the pages until it runs out', () => {
    const answered = done(acknowledge(anIncident(), by('alice', 3), policy));
    expect(answered).toMatchObject({ status: 'acknowledged', acknowledgements: [{ by: 'alice', at: timestamp(minutesLater(3)) }] });
    expect(pagesBy(anIncident(), 6).pages).toHaveLength(2);
    expect(pagesBy(answered, 6)).toMatchObject({ stage: 'answered', pages: [] });
    expect(pagesBy(answered, 64).pages).toMatchObject([{ person: 'alice', reason: 'stale-acknowledgement' }]);
  });

  test('again by the same person goes on from then', () => {
    const twice = done(acknowledge(done(acknowledge(anIncident(), by('alice', 3), policy)), by('alice', 50), policy));
    expect(pagesBy(twice, 64)).toMatchObject({ stage: 'answered', pages: [] });
  });

  test('by one of the two who are wanted leaves the other to be told', () => {
    const wanted = anIncident({ severity: 1, policy: 'two' });
    const first = acknowledge(wanted, by('alice', 1), policy);
    expect(first).toMatchObject({ says: expect.stringContaining('1 more must acknowledge') });
    expect(done(first).status).toBe('triggered');
    expect(pagesBy(done(first), 2).pages.map(({ person }) => person)).toEqual(['bob']);
    const again = done(acknowledge(done(first), by('alice', 2), policy));
    expect(again.status).toBe('triggered');
    expect(done(acknowledge(again, by('bob', 3), policy)).status).toBe('acknowledged');
  });

  test('counts for somebody whom the config does not know, but not as one of several', () => {
    const stranger = { by: 'arn:aws:iam::111122223333:role/oncall', now: minutesLater(1) };
    expect(done(acknowledge(anIncident(), stranger, policy)).status).toBe('acknowledged');
    expect(acknowledge(anIncident({ severity: 1, policy: 'two' }), stranger, policy)).toMatchObject({
      kind: 'refused',
      because: expect.stringContaining('nobody of incidents.people'),
    });
  });

  test('from a Region whose clock is behind counts all the same', () => {
    expect(pagesBy(done(acknowledge(anIncident(), by('alice', -1), policy)), 6).stage).toBe('answered');
  });
});

describe('resolving and reopening', () => {
  test('nobody is told of what is resolved, and everybody anew of what came back, with clocks that begin again', () => {
    const resolved = done(resolve(done(acknowledge(anIncident(), by('alice', 1), policy)), { ...by('alice', 30), reason }));
    expect(resolved).toMatchObject({ status: 'resolved', resolvedBy: 'alice' });
    expect(pagesBy(resolved, 300)).toMatchObject({ stage: 'over', pages: [] });
    const back = done(reopen(resolved, { ...by('bob', 60), reason }, policy));
    expect(back).toMatchObject({ status: 'triggered', generation: 2, acknowledgements: [], respondBy: timestamp(minutesLater(90)) });
    expect(back.resolvedAt).toBeUndefined();
    expect(pagesBy(back, 60).pages).toHaveLength(1);
  });

  test('says which alarms still ring', () => {
    expect(resolve(anIncident(), { ...by('alice', 1), reason })).toMatchObject({
      says: expect.stringContaining('1 of its alarms still ring'),
    });
  });

  test('twice is once', () => {
    const resolved = done(resolve(anIncident(), { ...by('alice', 30), reason }));
    expect(resolve(resolved, { ...by('bob', 31), reason })).toMatchObject({ kind: 'unchanged' });
    expect(reopen(anIncident(), { ...by('bob', 31), reason }, policy)).toMatchObject({ kind: 'unchanged' });
  });
});

describe('severity', () => {
  const to = (severity: Severity, minute: number) => ({ ...by('alice', minute), severity, reason });

  test('worse tells people anew, whoever had answered, and brings the deadlines nearer', () => {
    const answered = done(acknowledge(anIncident(), by('alice', 1), policy));
    const raised = done(changeSeverity(answered, to(1, 10), policy));
    expect(raised).toMatchObject({ severity: 1, generation: 2, status: 'triggered', respondBy: timestamp(minutesLater(25)) });
    expect(pagesBy(raised, 10).pages).toHaveLength(1);
    const late = done(changeSeverity(answered, to(1, 29), policy));
    expect(late.respondBy).toBe(anIncident().respondBy);
  });

  test('less bad leaves who answered, and moves deadlines that are ahead only', () => {
    const answered = done(acknowledge(anIncident(), by('alice', 1), policy));
    const lowered = done(changeSeverity(answered, to(3, 45), policy));
    expect(lowered).toMatchObject({ severity: 3, generation: 1, status: 'acknowledged', respondBy: answered.respondBy });
    expect(lowered.resolveBy).toBe(timestamp(minutesLater(24 * 60)));
  });

  test('of what nobody is paged for ends the escalation, and worse begins it anew', () => {
    const quiet = done(changeSeverity(anIncident(), to(4, 1), policy));
    expect(pagesBy(quiet, 60).stage).toBe('over');
    expect(pagesBy(done(changeSeverity(quiet, to(2, 60), policy)), 60).pages).toHaveLength(1);
  });
});

describe('merging', () => {
  const other = (given: Partial<Incident> = {}) => {
    const base = anIncident({ mark: 'b', openedAt: '2026-11-21T07:10:00Z', groupKey: 'billing@us-east-1', ...given });
    const troubles = base.troubles.map((trouble) => ({ ...trouble, dedupKey: dedupKeyOf('b') }));
    return { ...base, troubles };
  };

  test('one goes on with the alarms of both, the other ends in it', () => {
    const merged = merge(other(), anIncident(), by('alice', 20), policy);
    if (merged.kind !== 'done') throw new Error(merged.because);
    const [into, from] = [done(merged.into), done(merged.from)];
    expect(into.troubles).toHaveLength(2);
    expect(into).toMatchObject({ generation: 1, links: [{ kind: 'incident', ref: from.id }] });
    expect(from).toMatchObject({ status: 'merged', mergedInto: into.id });
    expect(pagesBy(from, 60)).toMatchObject({ stage: 'over' });
  });

  test('with something worse raises it, and tells people anew', () => {
    const answered = done(acknowledge(anIncident(), by('alice', 1), policy));
    const merged = merge(other({ severity: 1 }), answered, by('alice', 20), policy);
    if (merged.kind !== 'done') throw new Error(merged.because);
    expect(done(merged.into)).toMatchObject({ severity: 1, generation: 2, status: 'triggered' });
  });

  test('cut off after the first write and done again comes to the same', () => {
    const merged = merge(other(), anIncident(), by('alice', 20), policy);
    if (merged.kind !== 'done') throw new Error(merged.because);
    const again = merge(other(), done(merged.into), by('alice', 21), policy);
    if (again.kind !== 'done') throw new Error(again.because);
    expect(done(again.into)).toEqual(done(merged.into));
    expect(merge(done(again.from), done(again.into), by('alice', 22), policy)).toMatchObject({ into: { kind: 'unchanged' } });
  });

  test.each([
    ['itself', anIncident(), 'into itself'],
    ['one of another home', { ...other(), home: elsewhere }, 'belongs to us-west-2'],
    ['one that is over', { ...other(), status: 'resolved' as const, resolvedBy: 'bob' }, 'was resolved'],
  ])('of %s is refused', (_, from, says) => {
    expect(merge(from, anIncident(), by('alice', 20), policy)).toMatchObject({ kind: 'refused', because: expect.stringContaining(says) });
  });
});

describe('a pause', () => {
  test('tells nobody while it lasts, and everybody from the first step on when it ends', () => {
    const paused = done(pause(anIncident(), { ...by('alice', 1), until: minutesLater(60), reason }));
    expect(pagesBy(paused, 59)).toMatchObject({ stage: 'paused', pages: [] });
    expect(pagesBy(paused, 60).pages).toHaveLength(1);
    const on = done(goOn(paused, by('alice', 30)));
    expect(pagesBy(on, 30).pages).toHaveLength(1);
    expect(goOn(on, by('alice', 31))).toMatchObject({ kind: 'unchanged' });
  });

  test.each([
    ['that has ended', minutesLater(0)],
    ['longer than anybody is awake', minutesLater(60 * 13)],
  ])('%s is refused', (_, until) => {
    expect(pause(anIncident(), { ...by('alice', 1), until, reason })).toMatchObject({ kind: 'refused' });
  });
});

describe('phases and roles', () => {
  test('go on and back, and to lessons only when it is over', () => {
    const contained = done(enterPhase(anIncident(), { ...by('alice', 10), phase: 'eradication' }));
    expect(enterPhase(contained, { ...by('alice', 11), phase: 'containment', reason: 'it spread' })).toMatchObject({
      entries: [{ kind: 'phase', says: 'containment begins again: it spread' }],
    });
    expect(enterPhase(contained, { ...by('alice', 12), phase: 'lessons' })).toMatchObject({ kind: 'refused' });
    const resolved = done(resolve(contained, { ...by('alice', 30), reason }));
    expect(done(enterPhase(resolved, { ...by('alice', 60), phase: 'lessons' })).phase).toBe('lessons');
    expect(enterPhase(resolved, { ...by('alice', 60), phase: 'recovery' })).toMatchObject({ kind: 'refused' });
  });

  test('a role has one person, and the line says who had it', () => {
    const led = done(giveRole(anIncident(), { ...by('alice', 1), role: 'commander', to: 'alice' }));
    expect(giveRole(led, { ...by('bob', 2), role: 'commander', to: 'bob' })).toMatchObject({
      entries: [{ says: 'bob is commander, after alice' }],
    });
    expect(giveRole(led, { ...by('bob', 2), role: 'commander', to: 'alice' })).toMatchObject({ kind: 'unchanged' });
  });

  test('a link is there once', () => {
    const link = { kind: 'evidence', ref: 'breaches/breach-20261121t120000z/report.md' } as const;
    const linked = done(addLink(anIncident(), { ...by('alice', 1), link }));
    expect(addLink(linked, { ...by('alice', 2), link })).toMatchObject({ kind: 'unchanged' });
  });
});

describe('a breach', () => {
  test('is known since an earlier moment, never since a later one', () => {
    const declared = done(declareBreach(anIncident(), { ...by('alice', 60), knownAt: minutesLater(30) }));
    expect(declared.breachDeclaredAt).toBe(timestamp(minutesLater(30)));
    expect(done(declareBreach(declared, { ...by('bob', 90), knownAt: openedAt })).breachDeclaredAt).toBe(timestamp(openedAt));
    expect(declareBreach(declared, { ...by('bob', 90), knownAt: minutesLater(40) })).toMatchObject({
      kind: 'refused',
      because: expect.stringContaining('cannot be set back'),
    });
  });

  test('may be found when it is long resolved, and not so late that nobody would watch its clocks', () => {
    const resolved = done(resolve(anIncident(), { ...by('alice', 30), reason }));
    const day = 24 * 60;
    expect(declareBreach(resolved, { ...by('alice', 100 * day), knownAt: minutesLater(100 * day) })).toMatchObject({ kind: 'done' });
    expect(declareBreach(resolved, { ...by('alice', 121 * day), knownAt: minutesLater(121 * day) })).toMatchObject({ kind: 'refused' });
  });
});

describe('who it is', () => {
  test.each([
    ['lab/alice', 'alice'],
    ['arn:aws:sts::111122223333:assumed-role/Bob/whatever-name', 'bob'],
    ['arn:aws:sts::111122223333:assumed-role/OnCall/alice', 'arn:aws:iam::111122223333:role/oncall'],
  ])('%s is %s', (principal, expected) => {
    expect(whoIs(principal, policy)).toEqual({ kind: 'who', by: expected });
  });

  test('one principal of two people says which, and nobody is somebody else', () => {
    const shared = { people: policy.people.map((person) => ({ ...person, principals: ['lab/shared'] })) };
    expect(whoIs('lab/shared', shared)).toMatchObject({ kind: 'refused', hint: expect.stringContaining('--person') });
    expect(whoIs('lab/shared', shared, 'bob')).toEqual({ kind: 'who', by: 'bob' });
    expect(whoIs('lab/alice', policy, 'bob')).toMatchObject({ kind: 'refused' });
  });
});
