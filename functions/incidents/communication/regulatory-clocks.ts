import { secondsBetween } from '../../common/duration.ts';
import { type Timestamp, timeSlug, timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import { type TellingDeadline, tellingDeadlines } from '../../failover/breach/telling-others.ts';
import { evidenceKey } from '../incident/evidence-key.ts';
import type { Incident } from '../models.ts';

export type Regulation = IncidentPolicy['regulations'][number];

/** A clock of the law. `settled`: the authority was told, or somebody answered for it that it need not be. */
export interface RegulatoryClock extends TellingDeadline {
  readonly status: 'running' | 'missed' | 'settled';
  readonly settledAt?: Timestamp;
  readonly leftSeconds: number;
}

/** Key of the record that ends a clock; the incident's link to it says when. */
export const settledKey = (incident: Pick<Incident, 'id'>, regulation: Regulation, at: Date): string =>
  evidenceKey(incident, `told-${regulation}-${timeSlug(at)}.json`);

function settledAt({ links, ...incident }: Incident, regulation: Regulation): Timestamp | undefined {
  const beginning = evidenceKey(incident, `told-${regulation}-`);
  const slugs = links
    .filter(({ kind, ref }) => kind === 'evidence' && ref.startsWith(beginning))
    .map(({ ref }) => ref.slice(beginning.length));
  const [first] = slugs.sort();
  const parts = first?.match(/^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z\.json$/);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  return timestamp(new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`));
}

/** The clocks of the config's regulations; none while nobody has declared a breach. */
export function regulatoryClocks(
  incident: Incident,
  { regulations }: Pick<IncidentPolicy, 'regulations'>,
  now: Date,
): readonly RegulatoryClock[] {
  const { breachDeclaredAt } = incident;
  if (!breachDeclaredAt) return [];
  return tellingDeadlines(breachDeclaredAt)
    .filter(({ regulation }) => regulations.includes(regulation))
    .map((deadline) => {
      const settled = settledAt(incident, deadline.regulation);
      const leftSeconds = secondsBetween(settled ? new Date(settled) : now, new Date(deadline.until));
      if (settled) return { ...deadline, status: 'settled', settledAt: settled, leftSeconds };
      return { ...deadline, status: leftSeconds < 0 ? 'missed' : 'running', leftSeconds };
    });
}
