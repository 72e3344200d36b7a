import type { Region } from '../../../functions/common/ids.ts';
import { isOver } from '../../../functions/incidents/is-over.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import type { Delivery } from '../../incident/mailbox.ts';
import type { IncidentWorld } from '../../incident/world.ts';
import type { Phases } from '../../phases.ts';
import type { Findings } from '../../report.ts';

export interface IncidentStage {
  readonly world: IncidentWorld;
  readonly phases: Phases;
  readonly findings: Findings;
}

/** What an alarm is about. */
export interface About {
  readonly alarm: string;
  readonly subject: string;
  readonly region: Region;
}

const isAbout = (incident: Incident, { alarm, subject, region }: About): boolean =>
  incident.troubles.some((trouble) => trouble.alarm === alarm && trouble.subject === subject && trouble.region === region);

/** The newest incident with that alarm that was opened since, waited for. */
export const incidentAbout = ({ world }: IncidentStage, about: About, limitSeconds: number, since = new Date(0)): Promise<Incident> =>
  world.until(`an incident: ${about.alarm} of ${about.subject} in ${about.region}`, limitSeconds, async () =>
    (await world.incidents()).find((incident) => isAbout(incident, about) && Date.parse(incident.openedAt) >= since.getTime()),
  );

/** Waits until that incident is over. */
export const resolution = ({ world }: IncidentStage, { id }: Incident, limitSeconds: number): Promise<Incident> =>
  world.until(`${id} is resolved`, limitSeconds, async () => (await world.incidents()).find((each) => each.id === id && isOver(each)));

/** Pages about one incident so far. */
export const pagesOf = ({ world }: IncidentStage, { id }: Pick<Incident, 'id'>): readonly Delivery[] =>
  world.mailbox.all.filter(({ incidentId, kind }) => incidentId === id && kind === 'incident');

/** `alice by email 0.4 s`: who was told when, counted from a moment. */
export const tellingsSince = (deliveries: readonly Delivery[], sinceMs: number): string =>
  deliveries.map(({ person, method, atMs }) => `${person} by ${method} after ${((atMs - sinceMs) / 1000).toFixed(1)} s`).join(', ') ||
  'nobody';
