import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { Incident, Trouble } from '../models.ts';
import { raised } from './generation.ts';
import { linked } from './links.ts';
import { earlier, later, line, overBecause, refused, type Transition, type Wanted } from './transition.ts';

const mostTroubles = 200;

/** The one that goes on, and the one that ends in it. Written in this order: cut off in between, the merge is repeated and comes to the same. */
export type Merge =
  | { readonly kind: 'done'; readonly into: Transition; readonly from: Transition }
  | Extract<Transition, { kind: 'refused' }>;

/**
 * `from` and `into` are one thing: `into` goes on with the alarms of both, and nobody is told of `from` any more. Where that makes `into` worse, people are told anew.
 * Both must have one home: alarms of `from` are heard there, and nothing else writes what they are on.
 */
export function merge(from: Incident, into: Incident, wanted: Wanted, policy: IncidentPolicy): Merge {
  if (from.id === into.id) return refused('an incident cannot be merged into itself', 'Name two: codeblue incident list');
  if (from.mergedInto === into.id) {
    const says = `${from.id} goes on as ${into.id} already`;
    return { kind: 'done', into: { kind: 'unchanged', says }, from: { kind: 'unchanged', says } };
  }
  const over = overBecause(from) ?? overBecause(into);
  if (over) return over;
  if (from.home !== into.home) {
    return refused(
      `${from.id} belongs to ${from.home} and ${into.id} to ${into.home}`,
      `Link them instead: codeblue incident link ${into.id} --kind incident --ref ${from.id}`,
    );
  }
  const troubles = united(into.troubles, from.troubles);
  if (troubles.length > mostTroubles) {
    return refused(
      `together they have ${troubles.length} alarms, and ${mostTroubles} fit`,
      'Resolve those that are well first, or link them.',
    );
  }
  const together: Incident = linked(
    {
      ...into,
      troubles,
      resolveBy: earlier(into.resolveBy, from.resolveBy),
      lastSignalAt: later(into.lastSignalAt, from.lastSignalAt),
    },
    { kind: 'incident', ref: from.id },
  );
  const isWorse = from.severity < into.severity;
  const next = isWorse ? raised(together, from.severity, policy, wanted.now) : together;
  const worse = isWorse ? `; raised to ${policy.severities[from.severity].name}` : '';
  const { pausedUntil: _, ...rest } = from;
  return {
    kind: 'done',
    into: {
      kind: 'done',
      incident: next,
      entries: [line('merge', wanted, `${from.id} goes on here${worse}`)],
      says: `${into.id} goes on with the alarms of ${from.id}${worse}`,
    },
    from: {
      kind: 'done',
      incident: { ...rest, status: 'merged', mergedInto: into.id },
      entries: [line('merge', wanted, `goes on as ${into.id}`)],
      says: `${from.id} goes on as ${into.id}`,
    },
  };
}

/** Of an alarm that both have, what was heard last counts. */
function united(some: readonly Trouble[], others: readonly Trouble[]): Trouble[] {
  const byKey = new Map(some.map((trouble) => [trouble.dedupKey, trouble]));
  for (const other of others) {
    const known = byKey.get(other.dedupKey);
    byKey.set(other.dedupKey, known ? same(known, other) : other);
  }
  return [...byKey.values()];
}

const same = (a: Trouble, b: Trouble): Trouble => ({
  ...(a.lastAt < b.lastAt ? b : a),
  firstAt: earlier(a.firstAt, b.firstAt),
  signals: Math.max(a.signals, b.signals), // the same merge again must not count twice
});
