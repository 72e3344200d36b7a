import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { Override } from '../models.ts';
import { type Duty, dutiesOf, type Span } from './rotation.ts';

export type OnCallSchedule = IncidentPolicy['schedules'][number];

/** One person's time on duty, or nobody's. `from` belongs to it, `until` does not. */
export interface Turn {
  readonly person: string | undefined;
  readonly from: Date;
  readonly until: Date;
}

/**
 * Who is on duty between two instants, ascending, without holes: a stretch without anybody is a turn of `undefined`. Layers lie over each other and the last one
 * that has somebody wins; overrides lie over all of them, and of two that overlap the one that begins later (at one instant: the greater id) wins, so that every
 * Region reads the same from the same records.
 */
export function turns(schedule: OnCallSchedule, from: Date, until: Date, overrides: readonly Override[] = []): readonly Turn[] {
  const within = { from: from.getTime(), until: until.getTime() };
  if (within.from >= within.until) return [];
  const above = overrides
    .filter((override) => override.schedule === schedule.id)
    .map(({ person, ...override }) => ({ ...override, person, from: Date.parse(override.from), until: Date.parse(override.until) }))
    .sort((a, b) => a.from - b.from || (a.overrideId < b.overrideId ? -1 : 1));
  const layers: readonly (readonly Duty[])[] = [
    ...schedule.layers.map((rotation) => dutiesOf(rotation, schedule.timeZone, within)),
    ...above.map((override) => [override]),
  ];
  const found: { person: string | undefined; from: number; until: number }[] = [];
  for (const { span, person } of uppermost(layers, within)) {
    const last = found.at(-1);
    if (last && last.person === person) last.until = span.until;
    else found.push({ person, ...span });
  }
  return found.map((turn) => ({ person: turn.person, from: new Date(turn.from), until: new Date(turn.until) }));
}

/** From edge to edge, who of the uppermost layer that has anybody. Each layer is ascending and does not overlap itself. */
function* uppermost(
  layers: readonly (readonly Duty[])[],
  within: Span,
): Generator<{ readonly span: Span; readonly person: string | undefined }> {
  const inside = (edge: number) => edge > within.from && edge < within.until;
  const edges = new Set([within.from, ...layers.flatMap((layer) => layer.flatMap((duty) => [duty.from, duty.until]).filter(inside))]);
  const ascending = [...edges].sort((a, b) => a - b);
  const cursors = layers.map(() => 0);
  for (const [index, from] of ascending.entries()) {
    let person: string | undefined;
    layers.forEach((layer, which) => {
      let cursor = cursors[which] ?? 0;
      while ((layer[cursor]?.until ?? Number.POSITIVE_INFINITY) <= from) cursor++;
      cursors[which] = cursor;
      const duty = layer[cursor];
      if (duty && duty.from <= from) person = duty.person;
    });
    yield { span: { from, until: ascending[index + 1] ?? within.until }, person };
  }
}

/** Who is on duty at an instant; undefined when nobody is. */
export const onCallAt = (schedule: OnCallSchedule, overrides: readonly Override[], instant: Date): string | undefined =>
  turns(schedule, instant, new Date(instant.getTime() + 1), overrides)[0]?.person;

/** Who is on duty by the schedules of a config and the overrides in force. */
export interface OnCall {
  /** Undefined when nobody is, or there is no such schedule. */
  at(schedule: string, instant: Date): string | undefined;
}

/** An override for somebody whom the config does not know (any more) takes nobody's place: nobody could be told. */
export function onCallOf({ schedules, people }: Pick<IncidentPolicy, 'schedules' | 'people'>, overrides: readonly Override[]): OnCall {
  const known = overrides.filter(({ person }) => people.some(({ id }) => id === person));
  return {
    at(id, instant) {
      const schedule = schedules.find((each) => each.id === id);
      return schedule && onCallAt(schedule, known, instant);
    },
  };
}
