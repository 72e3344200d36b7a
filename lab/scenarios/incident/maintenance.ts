import { after, seconds } from '../../../functions/common/duration.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { AlarmName, Subject } from '../../../functions/incidents/models.ts';
import { people } from '../../incident/policy.ts';
import { press } from './press.ts';
import { type IncidentStage, incidentAbout, pagesOf, resolution } from './stage.ts';

const service = 'orders';
/** Longer than an alarm takes to ring here. */
const announced = seconds(18);

/** Work that was announced. */
export interface Work {
  readonly from: Date;
  readonly until: Date;
}

const about = ({ world }: IncidentStage) => ({ alarm: 'ServiceDown', subject: service, region: world.regions.primary });

/** Work is announced on a service, which stays broken. */
export async function announceWork(stage: IncidentStage): Promise<Work> {
  const { world, phases } = stage;
  const { region } = about(stage);
  return phases.run(`Announce work on ${service}, and leave it broken`, async () => {
    const from = world.lab.clock.now();
    const until = after(from, announced);
    await world.lab.ports(region).incidents.putSilence({
      silenceId: 'sil-lab-work',
      ...{ alarm: AlarmName.parse('ServiceDown'), subject: Subject.parse(service), region },
      ...{ from: timestamp(from), until: timestamp(until), by: `lab/${people.first}`, reason: 'a new version is installed' },
    });
    world.broken.add(`${region}/${service}`);
    return { from, until };
  });
}

/** Its alarm pages nobody until the work is over, and then once, because it still rings. */
export async function workEnds(stage: IncidentStage, { from, until }: Work): Promise<void> {
  const { world, phases, findings } = stage;
  const { region } = about(stage);
  await phases.run('The work ends', async (say) => {
    const incident = await incidentAbout(stage, about(stage), 60, from);
    const page = await world.delivery('after the work', 20, ({ incidentId }) => incidentId === incident.id);
    say(`${page.subject}: ${page.person} is told`);
    await press(page.acknowledgeUrl ?? '');
    const tellings = pagesOf(stage, incident);
    const early = tellings.filter(({ at }) => Date.parse(at) < until.getTime());
    const timeline = await world.lab.ports(region).incidents.timeline(incident.id);
    const why = timeline.find(({ says }) => says.includes('sil-lab-work'))?.says;
    findings.promise(
      'I2.maintenance',
      'While work is announced nobody is told; what still rings when it ends is told once.',
      early.length === 0 && tellings.filter(({ person }) => person === people.first).length === 1 && why !== undefined,
      `${early.length} pages during the work, ${tellings.length} after it; ${why ?? 'the alarm was never held back'}`,
    );
    world.broken.delete(`${region}/${service}`);
    await resolution(stage, incident, 60);
  });
}
