import { after, seconds } from '../../../functions/common/duration.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import { AlarmName, Subject } from '../../../functions/incidents/models.ts';
import { people } from '../../incident/policy.ts';
import { press } from './press.ts';
import { type IncidentStage, incidentAbout, pagesOf, resolution } from './stage.ts';

const service = 'orders';
/** Longer than an alarm takes to ring here. */
const announced = seconds(16);

/** Work is announced on a service: its alarm pages nobody until the work is over, and then once, because it still rings. */
export async function maintenance(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.primary;
  await phases.run(`Announce work on ${service}, and leave it broken`, async (say) => {
    const from = world.lab.clock.now();
    const until = after(from, announced);
    await world.lab.ports(region).incidents.putSilence({
      silenceId: 'sil-lab-work',
      ...{ alarm: AlarmName.parse('ServiceDown'), subject: Subject.parse(service), region },
      ...{ from: timestamp(from), until: timestamp(until), by: `lab/${people.first}`, reason: 'a new version is installed' },
    });
    world.broken.add(`${region}/${service}`);
    const held = await world.until('the alarm is held back', 40, async () =>
      (await world.lab.ports(region).incidents.heldBack()).find(({ subject, alarm }) => subject === service && alarm === 'ServiceDown'),
    );
    say(`the alarm rings, and is held back by ${held.heldBack?.name}`);
    const incident = await incidentAbout(stage, { alarm: 'ServiceDown', subject: service, region }, 60, from);
    const page = await world.delivery('after the work', 20, ({ incidentId }) => incidentId === incident.id);
    await press(page.acknowledgeUrl ?? '');
    const tellings = pagesOf(stage, incident);
    const early = tellings.filter(({ at }) => Date.parse(at) < until.getTime());
    findings.promise(
      'I2.maintenance',
      'While work is announced nobody is told; what still rings when it ends is told once.',
      early.length === 0 && tellings.filter(({ person }) => person === people.first).length === 1,
      `${early.length} pages during the work, ${tellings.length} after it; held back since ${held.heldBack?.since}`,
    );
    world.broken.delete(`${region}/${service}`);
    await resolution(stage, incident, 60);
  });
}
