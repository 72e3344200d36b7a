import { candidates, standby, tertiary } from './operations.ts';
import type { Play } from './play.ts';
import type { Scenario } from './scenario.ts';
import { type Micros, microsPerSecond } from './virtual-time.ts';

const seconds = (at: Micros): string => (at / microsPerSecond).toFixed(3);

/** `   35.799  us-west-2                execution failover-2 begins` */
export const timelineLine = (at: Micros, who: string, what: string): string => `${seconds(at).padStart(9)}  ${who.padEnd(34)} ${what}`;

/** What the seed has in store, for people. */
export function describeScenario(seed: number, scenario: Scenario): readonly string[] {
  const { title, policy, weather, interruptions, commitTakes, replicationLag, regionClocks, databaseClocks, expects } = scenario;
  const steps = [standby, tertiary].flatMap((region) => {
    const step = regionClocks.get(region)?.step;
    return step ? [`handlers in ${region} by ${seconds(step.by)} s at ${seconds(step.at)}`] : [];
  });
  const databaseSteps = candidates.flatMap((region) => {
    const step = databaseClocks.get(region)?.step;
    return step ? [`database in ${region} by ${seconds(step.by)} s at ${seconds(step.at)}`] : [];
  });
  return [
    `seed ${seed}: ${title}`,
    `  mode ${policy.mode}, budget ${policy.budgetSeconds} s, ${policy.databases === 1 ? 'one database' : 'two databases'}, commits take up to ${seconds(commitTakes)} s, replica lags ${seconds(replicationLag)} s${expects.saneClocks ? '' : ', clocks are up to a minute apart'}`,
    ...[...steps, ...databaseSteps].map((step) => `  clock steps: ${step}`),
    ...(weather
      ? [
          `  weather from ${seconds(weather.from)} to ${seconds(weather.until)}: lost ${weather.loss}, late ${weather.late} by up to ${seconds(weather.delay)} s, repeated ${weather.repeated}`,
        ]
      : []),
    ...interruptions.map(({ who, nth, interruption }) => {
      const { what, when, call, on } = interruption;
      return `  run ${nth} of "${who}" ${what.kind === 'dies' ? 'dies' : `freezes for ${seconds(what.for)} s`} ${when} its call ${call}${on ? ` of ${on}` : ''}`;
    }),
  ];
}

export const describeEnd = ({ violations, endedAt, end, commits, events }: Play): readonly string[] => [
  `${seconds(endedAt).padStart(9)}  the end: ${end}; ${commits} commits, ${events} events`,
  ...(violations.length === 0
    ? ['every promise held']
    : violations.map(({ promise, at, says }) => `${promise} BROKEN at ${seconds(at)}: ${says}`)),
];
