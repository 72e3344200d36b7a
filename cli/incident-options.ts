import { InvalidArgumentError, Option } from 'commander';
import { after, type Duration } from '../functions/common/duration.ts';
import { InvalidInput } from '../functions/common/errors.ts';
import { type IncidentPolicy, type Severity, severities } from '../functions/common/incident-policy.ts';
import { durationGiven } from './duration-given.ts';
import { MisusedCommand } from './misused-command.ts';
import { timeWithZone } from './time-with-zone.ts';

export const reasonOption = (says: string) => new Option('--reason <text>', says).makeOptionMandatory().argParser(inWords);
export const personOption = () => new Option('--person <id>', 'who of the config you are, where your principal is listed for several');
export const yesOption = () => new Option('--yes', 'do it without asking');
export const forOption = (says: string) => new Option('--for <time>', says).argParser(durationGiven);

function inWords(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Wanted words.');
  if (text.length > 300) throw new InvalidArgumentError('Wanted 300 characters at most.');
  return text;
}

/** `--until` or `--for`, one of them. @throws MisusedCommand */
export function endGiven({ until, for: length }: { readonly until?: string; readonly for?: Duration }, now: Date): Date {
  if ((until === undefined) === (length === undefined)) {
    throw new MisusedCommand('until when?', { hint: 'Give --until 2026-11-21T07:30:00Z or --for 2h, and not both.' });
  }
  return until !== undefined ? timeWithZone('--until', until) : after(now, length ?? durationGiven('0min'));
}

/** By the number, 1 the worst, or by the profile's word. @throws InvalidInput */
export function severityGiven(given: string, { severities: named }: Pick<IncidentPolicy, 'severities'>): Severity {
  const found = severities.find((severity) => given === String(severity) || given.toLowerCase() === named[severity].name.toLowerCase());
  if (found) return found;
  throw new InvalidInput(`"${given}" is no severity`, {
    hint: `There are: ${severities.map((each) => named[each].name).join(', ')}, or 1 to 4.`,
  });
}
