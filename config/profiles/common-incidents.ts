import { days, hours, minutes } from '../../functions/common/duration.ts';
import type { IncidentPolicy, SeverityPolicy } from '../../functions/common/incident-policy.ts';

/** What a profile says about incidents; who answers comes from the contacts unless the config says more. */
export type IncidentProfile = Omit<IncidentPolicy, 'people' | 'schedules' | 'policies' | 'defaultPolicy'>;

/**
 * Clocks of arocord 8.2 (SEV-1 15 min and 4 h, SEV-2 30 min and 8 h, SEV-3 2 h and 24 h, SEV-4 4 h and a week); the hms manual names none but the phases of its plan, whose first
 * ends after 15 min, so they fill in there. "Acknowledge alert within 5 minutes" (arocord 3.2.2) is the wait of the escalation's first step.
 */
export const severitiesNamed = (names: readonly [string, string, string, string]): IncidentPolicy['severities'] => {
  const clocks = (name: string, rest: Omit<SeverityPolicy, 'name'>): SeverityPolicy => ({ name, ...rest });
  return {
    1: clocks(names[0], { respondWithin: minutes(15), resolveWithin: hours(4), pages: true, acknowledgementLasts: minutes(30) }),
    2: clocks(names[1], { respondWithin: minutes(30), resolveWithin: hours(8), pages: true, acknowledgementLasts: hours(1) }),
    3: clocks(names[2], { respondWithin: hours(2), resolveWithin: hours(24), pages: true, acknowledgementLasts: hours(8) }),
    4: clocks(names[3], { respondWithin: hours(4), resolveWithin: days(7), pages: false, acknowledgementLasts: days(7) }),
  };
};

/** What both manuals leave open. The reasons are in docs/adr/0009-incidents.md. */
export const commonIncidents = {
  mode: 'on',
  services: [],
  integrations: [],
  monitored: [],
  groupWithin: minutes(5),
  flapping: { changes: 6, per: minutes(30), quietFor: minutes(15) },
  inhibitions: [],
  channels: { perSecond: { email: 5, sms: 5, https: 20, pagerduty: 5, slack: 1 } },
  linkLasts: minutes(60),
  runbooks: [],
  regulations: ['hipaa'],
} satisfies Omit<IncidentProfile, 'severities'>;
