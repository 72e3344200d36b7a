import type { Incident } from '../models.ts';
import { type Span, united } from '../on-call/rotation.ts';

type Acknowledgements = Incident['acknowledgements'];

/** Whether that person has said since `since` that they work on it, and it still counts. Who answered is not told again. */
export const acknowledges = (acknowledgements: Acknowledgements, person: string, instant: number, since: number): boolean =>
  acknowledgements.some(
    ({ by, at, until }) => by === person && Date.parse(at) >= since && Date.parse(at) <= instant && instant < Date.parse(until),
  );

/**
 * When an incident is answered: as many different people as the policy wants have acknowledged, and none of those acknowledgements is over. What was
 * acknowledged before `since` does not count: the incident has become worse, or came back.
 */
export function answeredSpans(acknowledgements: Acknowledgements, needed: number, since: number): readonly Span[] {
  const counting = acknowledgements
    .map(({ by, at, until }) => ({ by, from: Date.parse(at), until: Date.parse(until) }))
    .filter((each) => each.from >= since && each.from < each.until);
  const edges = [...new Set(counting.flatMap(({ from, until }) => [from, until]))].sort((a, b) => a - b);
  const spans = edges.flatMap((from, index) => {
    const until = edges[index + 1];
    const people = new Set(counting.filter((each) => each.from <= from && from < each.until).map(({ by }) => by));
    return until !== undefined && people.size >= needed ? [{ from, until }] : [];
  });
  return united(spans);
}
