import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EventFilter } from '../functions/audit/ports.ts';
import { filterFrom } from '../functions/audit/query/filter.ts';
import { PAGE_LIMIT } from '../functions/audit/query/read-events.ts';
import { before, type Duration } from '../functions/common/duration.ts';
import { durationGiven } from './duration-given.ts';
import { MisusedCommand } from './misused-command.ts';
import { timeWithZone } from './time-with-zone.ts';

export interface FilterOptions {
  readonly from?: string;
  readonly until?: string;
  readonly since?: Duration;
  readonly user?: string;
  readonly patient?: string;
  readonly resource?: string;
  readonly action?: string;
  readonly outcome?: string;
}

/** What to look for. All that is given must fit. */
export const withFilter = (command: Command): Command =>
  command
    .option('--from <time>', 'at or after it, with its zone: 2026-11-21T07:30:00Z')
    .option('--until <time>', 'before it, with its zone')
    .addOption(new Option('--since <time>', 'in that time until now: 24h, 30d').argParser(durationGiven))
    .option('--user <id>', 'who did it')
    .option('--patient <ref>', "whom it was about, by the application's opaque id")
    .option('--resource <resource>', 'what it was done to: <type>/<id>')
    .option('--action <action>', 'what was done: record.read')
    .option('--outcome <outcome>', 'success, failure, denied, pending or skipped');

/** @throws MisusedCommand, InvalidInput */
export function filterGiven(options: FilterOptions, { now, lookBack }: { readonly now: Date; readonly lookBack: Duration }): EventFilter {
  const { from, until, since, ...words } = options;
  if (from !== undefined && since !== undefined)
    throw new MisusedCommand('--from and --since both say when it begins', { hint: 'Give one of them.' });
  const begins = since !== undefined ? before(now, since) : from === undefined ? undefined : timeWithZone('--from', from);
  return filterFrom({ ...words, from: begins, until: until === undefined ? undefined : timeWithZone('--until', until) }, { now, lookBack });
}

export const purposeOption = () =>
  new Option(
    '--purpose <text>',
    'what you read it for; it stands in the log beside your name, so nothing that tells who a patient is',
  ).argParser((text: string) => {
    if (text.trim() !== '' && text.length <= 300) return text;
    throw new InvalidArgumentError('Wanted 1 to 300 characters.');
  });

export const limitOption = (usual: number) =>
  new Option('--limit <count>', `events at a time, at most ${PAGE_LIMIT}`).default(usual).argParser((given: string) => {
    const count = Number(given);
    if (/^\d+$/.test(given) && count >= 1 && count <= PAGE_LIMIT) return count;
    throw new InvalidArgumentError(`Wanted 1 to ${PAGE_LIMIT}.`);
  });

/** An option that can be given several times. */
export const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
