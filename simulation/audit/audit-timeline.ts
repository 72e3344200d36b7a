import { type Micros, microsPerSecond } from '../virtual-time.ts';
import type { Actor, AuditScenario } from './audit-scenario.ts';
import type { AuditPlay } from './audit-simulator.ts';

const seconds = (at: Micros): string => (at / microsPerSecond).toFixed(3);

/** What the seed has in store, for people. */
export function describeAuditScenario(seed: number, scenario: AuditScenario): readonly string[] {
  const { title, entriesBefore, events, deliveries, sequencers, erasures, weather, repeated, indexLag, generation } = scenario;
  return [
    `seed ${seed}: ${title || 'nothing special'}`,
    `  ${entriesBefore} entries before, ${events} events in ${deliveries.length} deliveries, the index is late by up to ${seconds(indexLag)} s, ${repeated === 0 ? 'no request' : `one request in ${Math.round(1 / repeated)}`} is sent twice, generation ${generation} in the end`,
    ...(weather
      ? [
          `  weather from ${seconds(weather.from)} to ${seconds(weather.until)}: lost ${weather.loss}, late ${weather.late} by up to ${seconds(weather.delay)} s, repeated ${weather.repeated}`,
        ]
      : []),
    ...sequencers.map(
      ({ name, at, until, pauseMilliseconds, batchLimit, generation: own }) =>
        `  ${name} from ${seconds(at)} to ${seconds(until)}, each ${pauseMilliseconds} ms, ${batchLimit} events at a time, generation ${own}`,
    ),
    ...[...sequencers, ...deliveries, ...erasures].flatMap(describeInterruption),
  ];
}

function describeInterruption({ name, interruption }: Actor): readonly string[] {
  if (!interruption) return [];
  const { what, when, call, on } = interruption;
  return [
    `  ${name} ${what.kind === 'dies' ? 'dies' : `stands still for ${seconds(what.for)} s`} ${when} its call ${call}${on ? ` of ${on}` : ''}`,
  ];
}

export const describeAuditEnd = ({ violations, endedAt, acknowledged, claims, publications, events }: AuditPlay): readonly string[] => [
  `${seconds(endedAt).padStart(9)}  the end: ${acknowledged} events acknowledged, ${claims} batches claimed, ${publications} checkpoints published, ${events} events of the simulation`,
  ...(violations.length === 0
    ? ['every promise held']
    : violations.map(({ promise, at, says }) => `${promise} BROKEN at ${seconds(at)}: ${says}`)),
];
