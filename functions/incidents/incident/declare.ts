import { InvalidInput } from '../../common/errors.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { Severity } from '../../common/incident-policy.ts';
import type { Operations } from '../../common/operations.ts';
import { dedupKeyOf } from '../ingest/signal-parts.ts';
import { subjectOf } from '../ingest/subject-of.ts';
import { AlarmName, Signal } from '../models.ts';

/** The alarm of what a person declares. It rings until a person says that it is over. */
export const declaredAlarm = AlarmName.parse('IncidentDeclared');

interface Declaration {
  readonly subject: string;
  readonly severity: Severity;
  /** In the words of whoever declares it: kept with the signal, never in a page. */
  readonly note: string;
  readonly by: string;
  /** Where it is declared: the home of the incident, if it is a new one. */
  readonly region: Region;
  readonly now: Date;
}

const nothingOfIt = 'nothing-of-the-config';

/**
 * What a person declares is a signal like any other: it is triaged, joins what is open about the same thing, and is told to whom the policy says.
 *
 * @throws InvalidInput when the config has nothing of that name
 */
export function declaration(operations: Operations, { subject: word, severity, note, by, region, now }: Declaration): Signal {
  const subject = subjectOf([word], operations, nothingOfIt);
  if (subject === nothingOfIt) {
    const known = [
      ...operations.incidents.services.map(({ id }) => id),
      ...operations.databases.map(({ id }) => id),
      ...Object.values(operations.regions),
    ];
    throw new InvalidInput(`the config has nothing called "${word}"`, { hint: `It has: ${[...new Set(known)].join(', ')}.` });
  }
  const at = timestamp(now);
  const signalId = `person/${dedupKeyOf(by, subject, region, at).slice(-32)}`;
  return Signal.parse({
    ...{ signalId, source: 'person', action: 'trigger', alarm: declaredAlarm, subject, region, severity, note },
    ...{ dedupKey: dedupKeyOf('person', signalId), at, receivedAt: at },
  });
}
