import type { IncidentPolicy } from '../../common/incident-policy.ts';
import type { KnownAlarm } from '../models.ts';

/** Whose incident an alarm makes, and who answers for it: the service that it is about, by the config, or the thing itself; in one Region. */
export function groupOf(
  { subject, region }: Pick<KnownAlarm, 'subject' | 'region'>,
  policy: Pick<IncidentPolicy, 'services' | 'defaultPolicy'>,
): { readonly groupKey: string; readonly policy: string } {
  const service = policy.services.find(({ id }) => id === subject);
  return { groupKey: `${subject}@${region}`, policy: service?.policy ?? policy.defaultPolicy };
}
