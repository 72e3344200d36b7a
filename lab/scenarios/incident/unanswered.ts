import { secondsBetween } from '../../../functions/common/duration.ts';
import { isOver } from '../../../functions/incidents/is-over.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import type { Delivery } from '../../incident/mailbox.ts';
import { faster, people, waits } from '../../incident/policy.ts';
import { press } from './press.ts';
import { type IncidentStage, incidentAbout, pagesOf, resolution, tellingsSince } from './stage.ts';

/** An answered incident: who told what, for the parts that follow. */
export interface Answered {
  readonly incident: Incident;
  /** Whose link was pressed. */
  readonly answered: Delivery;
  /** When, by `performance.now()`. */
  readonly atMs: number;
}

const service = 'orders';
/** From when a page is due until it is there, on a busy machine. */
const patienceSeconds = 6;
/** Five minutes of CloudWatch in the lab's time, milliseconds. */
const downForMs = (5 * 60 * 1000) / faster;

/** A service is down: its alarm pages, nobody answers, the next one is asked, and answers by the link. */
export async function unanswered(stage: IncidentStage): Promise<Answered> {
  const { world, phases, findings } = stage;
  const region = world.regions.primary;
  return phases.run(`Take the service ${service} down; nobody answers the first page`, async (say) => {
    const beganMs = performance.now();
    world.broken.add(`${region}/${service}`);
    const incident = await incidentAbout(stage, { alarm: 'ServiceDown', subject: service, region }, 40);
    const first = await world.delivery(`to ${people.first}`, 10, ({ incidentId }) => incidentId === incident.id);
    say(`${first.subject}: ${first.person} is told by ${first.method}`);
    const rangAfterMs = first.atMs - beganMs;
    findings.promise(
      'I1.service',
      'A service that is down for five minutes of CloudWatch rings, and one that is down for less does not.',
      rangAfterMs >= downForMs * 0.8,
      `down for ${(rangAfterMs / 1000).toFixed(1)} s before anybody was told; five periods are ${(downForMs / 1000).toFixed(1)} s here`,
    );
    const second = await world.delivery(
      `to ${people.second}`,
      20,
      ({ incidentId, person }) => incidentId === incident.id && person === people.second,
    );
    say(`nobody answered: ${second.person} is told by ${second.method}`);
    const pressed = await press(second.acknowledgeUrl ?? '');
    const atMs = performance.now();
    const after = (await world.incidents()).find(({ id }) => id === incident.id);
    // The first person's time runs from when the escalation began, however long their page took.
    const gap = secondsBetween(new Date(incident.escalatesFrom), new Date(second.at));
    findings.measure('escalationSeconds', gap);
    findings.promise(
      'I3',
      'Nobody answers: the next person is told when the first one’s time is over, and not before.',
      gap >= waits.first && gap < waits.first + patienceSeconds,
      `${people.second} ${gap.toFixed(1)} s after the escalation began; ${people.first} has ${waits.first} s`,
    );
    findings.promise(
      'I5.acknowledge',
      'The link of a page shows what it is about, and acknowledges when its button is pressed.',
      pressed.shown === 200 && pressed.answered === 200 && after?.status === 'acknowledged',
      `GET ${pressed.shown}, POST ${pressed.answered}: ${after?.status} by ${after?.acknowledgements.map(({ by }) => by).join() || 'nobody'}`,
    );
    say(`${second.person} pressed the link: ${after?.status}`);
    return { incident, answered: second, atMs };
  });
}

/** The service is back: the incident is over by itself. Nobody was told after somebody had answered. */
export async function mended(stage: IncidentStage, { incident, atMs }: Answered): Promise<void> {
  const { world, phases, findings } = stage;
  await phases.run(`Bring ${service} back`, async () => {
    // Long enough for the next person's turn to have come, were the incident not answered.
    await world.lab.clock.sleep(Math.max(0, atMs + (waits.second + 2) * 1000 - performance.now()));
    world.broken.delete(`${world.regions.primary}/${service}`);
    const over = await resolution(stage, incident, 30);
    const pages = pagesOf(stage, incident);
    const late = pages.filter((page) => page.atMs > atMs + 500);
    findings.promise(
      'I5.quiet',
      'Once somebody has answered, nobody is told any more.',
      late.length === 0 && (performance.now() - atMs) / 1000 > waits.second,
      `${tellingsSince(pages, pages[0]?.atMs ?? 0)}; then nothing for ${((performance.now() - atMs) / 1000).toFixed(1)} s`,
    );
    const same = (await world.incidents()).filter(({ troubles }) =>
      troubles.some(({ subject, alarm }) => subject === service && alarm === 'ServiceDown'),
    );
    findings.promise(
      'I2.resolved',
      'One trouble is one incident, and it is over when its alarm is.',
      same.length === 1 && isOver(over) && over.resolvedBy === 'alarms',
      `${same.length} incident, ${over.status} by ${over.resolvedBy}`,
    );
  });
}
