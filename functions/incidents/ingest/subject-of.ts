import type { Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import { Subject } from '../models.ts';

/** What of the config a foreign word can mean. */
type Named = Pick<Operations, 'databases' | 'failover' | 'incidents' | 'regions'>;

/**
 * What a signal of another tool is about: the first of its words that means something of the config, else `otherwise`, which is of the config itself. Nothing that the tool
 * wrote is ever in the answer; that is how no patient's data can reach a page.
 *
 * A word means a service (`incidents.services`, `failover.services`), a capacity, a database (by id, or by its identifier or host name in RDS) or a Region, whatever its case.
 *
 * @example subjectOf(['hms-primary.abc123.us-east-1.rds.amazonaws.com'], operations, 'registration') // 'hms', whose site in us-east-1 is hms-primary
 */
export function subjectOf(words: readonly unknown[], operations: Named, otherwise: string): Subject {
  const known = subjectsOf(operations);
  for (const word of words) {
    const found = formsOf(word).flatMap((form) => known.get(form) ?? [])[0];
    if (found) return found;
  }
  return Subject.parse(otherwise);
}

/** The Region of the deployment that one of the words names, else `otherwise`. */
export function regionIn(words: readonly unknown[], operations: Named, otherwise: Region): Region {
  const forms = words.flatMap(formsOf);
  return regionsOf(operations).find((region) => forms.includes(region)) ?? otherwise;
}

/** Longest word that is looked at: ids of the config, host names. */
const longestWord = 255;

/** The word itself, and what stands before its first dot, colon or slash: `orders.example.org`, `orders:8080`, `orders/3`. */
function formsOf(word: unknown): readonly string[] {
  if (typeof word !== 'string' || word.length > longestWord) return [];
  const whole = word.trim().toLowerCase();
  return [whole, whole.split(/[.:/]/, 1)[0] ?? ''];
}

const made = new WeakMap<Named, ReadonlyMap<string, Subject>>();

/** Every word that means something, and what. Of two things with one name, the one that somebody owns. */
function subjectsOf(operations: Named): ReadonlyMap<string, Subject> {
  const before = made.get(operations);
  if (before) return before;
  const { databases, failover, incidents } = operations;
  const pairs = [
    ...regionsOf(operations).map((region) => [region, region] as const),
    ...databases.flatMap(({ id, sites }) => Object.values(sites).map(({ identifier }) => [identifier, id] as const)),
    ...databases.map(({ id }) => [id, id] as const),
    ...failover.capacity.map(({ name }) => [name, name] as const),
    ...failover.services.map(({ name }) => [name, name] as const),
    ...incidents.services.map(({ id }) => [id, id] as const),
  ];
  const subjects = new Map(pairs.map(([word, subject]) => [word, Subject.parse(subject)]));
  made.set(operations, subjects);
  return subjects;
}
