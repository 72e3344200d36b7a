import { MisusedCommand } from './misused-command.ts';

/** A moment as people give it to an option. Without its zone it would be another one for whoever reads it elsewhere. @throws MisusedCommand */
export function timeWithZone(option: string, given: string): Date {
  const time = new Date(given);
  if (!Number.isNaN(time.getTime()) && /T.*(Z|[+-]\d\d:?\d\d)$/.test(given)) return time;
  throw new MisusedCommand(`${option} ${given} is no time with a zone`, {
    hint: 'Write it like 2026-11-21T07:30:00Z, or 2026-11-21T02:30:00-05:00.',
  });
}
