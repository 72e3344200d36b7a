import { formatSeconds, secondsBetween } from '../../functions/common/duration.ts';
import type { Forecast } from '../../functions/verify/trend.ts';

/** `2026-11-21 02:00 EST`: local time of the deployment, its zone said. */
export function localTime(moment: string | Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).formatToParts(new Date(moment));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} ${part('timeZoneName')}`;
}

/** `3 h 20 min ago`, `in 5 min`. */
export function relativeTime(moment: string | Date, now: Date): string {
  const seconds = Math.round(secondsBetween(new Date(moment), now));
  return seconds >= 0 ? `${formatSeconds(seconds)} ago` : `in ${formatSeconds(-seconds)}`;
}

/** `10 min ± 16 s`, or `about 10 min` where too few samples tell how they scatter. */
export const forecastText = ({ expectedSeconds, withinSeconds }: Forecast): string =>
  withinSeconds === undefined
    ? `about ${formatSeconds(expectedSeconds)}`
    : `${formatSeconds(expectedSeconds)} ± ${formatSeconds(withinSeconds)}`;

/** `107.4 GB`, by powers of 1000 as storage is sold. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}
