/** What people do, at half seconds, so that nothing happens in the very moment in which a step begins. */
export type Act =
  | { readonly at: number; readonly kind: 'acknowledge'; readonly person: string; readonly lasts: number }
  | { readonly at: number; readonly kind: 'pause'; readonly lasts: number }
  | { readonly at: number; readonly kind: 'raise' }
  | { readonly at: number; readonly kind: 'resolve' };

export interface Expected {
  /** Whom a step tells, and the second in which it begins. */
  readonly pages: readonly { readonly at: number; readonly person: string }[];
  /** Whether nobody is to be told, second by second. */
  readonly quiet: readonly boolean[];
}

/** Steps of one round, in seconds from its beginning; of three rounds of 900 s. */
const steps = [
  { at: 0, owner: false },
  { at: 300, owner: true },
];
const [roundSeconds, rounds] = [900, 3];
/** Ben takes over from Ada at 08:00. */
const handOver = 3600;

/**
 * The policy of test/support/escalation-world.ts said once more, as a clock that ticks each second and has no idea of stretches, ids or outboxes: it runs while nobody
 * answers, goes back to nothing while somebody does, and tells people at certain readings.
 */
export function expectedPages(acts: readonly Act[], seconds: number, severity: 1 | 2): Expected {
  const pages: { at: number; person: string }[] = [];
  const quiet: boolean[] = [];
  let acknowledged: { person: string; until: number }[] = [];
  let [pausedUntil, isOver, needed] = [0, false, severity === 1 ? 2 : 1];
  let running: number | undefined;
  for (let second = 0; second < seconds; second++) {
    for (const act of acts.filter(({ at }) => at < second && at >= second - 1)) {
      if (isOver) continue;
      if (act.kind === 'acknowledge') acknowledged.push({ person: act.person, until: act.at + act.lasts });
      if (act.kind === 'pause') pausedUntil = act.at + act.lasts;
      if (act.kind === 'resolve') isOver = true;
      if (act.kind === 'raise') {
        [acknowledged, pausedUntil, needed, running] = [[], 0, 2, undefined];
      }
    }
    const answering = new Set(acknowledged.filter(({ until }) => until > second).map(({ person }) => person));
    const isQuiet = isOver || answering.size >= needed || pausedUntil > second;
    quiet.push(isQuiet);
    running = isQuiet ? undefined : running === undefined ? 0 : running + 1;
    if (running === undefined || running >= rounds * roundSeconds) continue;
    const step = steps.find(({ at }) => at === (running ?? 0) % roundSeconds);
    if (!step) continue;
    const people = [second < handOver ? 'ada' : 'ben', ...(step.owner ? ['owner'] : [])];
    pages.push(...people.filter((person) => !answering.has(person)).map((person) => ({ at: second, person })));
  }
  return { pages, quiet };
}
