import { after, type Duration } from '../../../functions/common/duration.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import type { Override } from '../../../functions/incidents/models.ts';
import { turns } from '../../../functions/incidents/on-call/on-call.ts';
import { localTime } from '../../render/moments.ts';
import { table } from '../../render/table.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';

export const onCallShowPorts = ['incidents'] as const;

export interface OnCallShown {
  readonly schedules: readonly {
    readonly schedule: string;
    readonly timeZone: string;
    /** The first is now. */
    readonly turns: readonly { readonly person: string | null; readonly from: string; readonly until: string }[];
  }[];
  /** In force or to come. */
  readonly overrides: readonly Override[];
  /** Who has no second channel for what is urgent, and how each is reached. */
  readonly people: readonly {
    readonly id: string;
    readonly name: string;
    readonly urgent: readonly string[];
    readonly calm: readonly string[];
  }[];
}

export async function showOnCall({ ports, operations, clock }: Session<'incidents'>, ahead: Duration): Promise<OnCallShown> {
  const now = clock.now();
  const { schedules, people } = operations.incidents;
  const overrides = (await ports.incidents.overrides()).filter(({ until }) => Date.parse(until) > now.getTime());
  const known = overrides.filter(({ person }) => people.some(({ id }) => id === person));
  return {
    schedules: schedules.map((schedule) => ({
      schedule: schedule.id,
      timeZone: schedule.timeZone,
      turns: turns(schedule, now, after(now, ahead), known).map(({ person, from, until }) => ({
        person: person ?? null,
        from: timestamp(from),
        until: timestamp(until),
      })),
    })),
    overrides,
    people: people.map(({ id, name, urgent, calm }) => ({
      id,
      name,
      urgent: urgent.map(({ kind }) => kind),
      calm: (calm ?? urgent).map(({ kind }) => kind),
    })),
  };
}

export function renderOnCall({ schedules, overrides, people }: OnCallShown, { colours }: Terminal): string {
  const rows = schedules.flatMap(({ schedule, timeZone, turns: all }) =>
    all.map(({ person, from, until }, index) => [
      index === 0 ? schedule : '',
      person ?? { text: 'NOBODY', paint: colours.red },
      index === 0 ? 'now' : localTime(from, timeZone),
      index === all.length - 1 ? '' : localTime(until, timeZone),
    ]),
  );
  return [
    table(['SCHEDULE', 'ON DUTY', 'FROM', 'UNTIL'], rows, colours.bold),
    '',
    table(
      ['PERSON', 'NAME', 'URGENT', 'CALM'],
      people.map(({ id, name, urgent, calm }) => [id, name, urgent.join(', '), calm.join(', ')]),
      colours.bold,
    ),
    ...(overrides.length > 0
      ? [
          '',
          'Overrides',
          ...overrides.map(
            ({ overrideId, person, schedule, from, until, by }) =>
              `  ${overrideId}  ${person} for ${schedule}, ${from} to ${until}, by ${by}`,
          ),
        ]
      : []),
  ].join('\n');
}
