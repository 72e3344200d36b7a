import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { people, repeats, waits } from '../../incident/policy.ts';
import { type IncidentStage, incidentAbout, pagesOf, resolution } from './stage.ts';

const service = 'api';
/** The auditor looks a minute back, and at the pages that no later step has overtaken: the lab's clock is set forward by that and by all rounds of the policy. */
const forwardSeconds = 60 + (1 + repeats) * (waits.first + waits.second + waits.last);

/** A sender that takes pages and sends none: the auditor finds it, and tells by the alarm topic. */
export async function withheldPage(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.primary;
  const { lab } = world;
  await phases.run('Break the sender of pages, and take a service down', async (say) => {
    let withheld = 0;
    lab.beforeStep = async (operation, _, where) => {
      if (operation !== 'send-pages' || where !== region) return;
      withheld++;
      throw new ServiceUnavailable('the sender is broken on purpose');
    };
    world.broken.add(`${region}/${service}`);
    const incident = await incidentAbout(stage, { alarm: 'ServiceDown', subject: service, region }, 60);
    await world.until('the sender has withheld a page', 20, () => (withheld > 0 ? true : undefined));
    say('the sender sends nothing');
    lab.advance(forwardSeconds);
    const notice = await world.until('the auditor tells of it', 40, () =>
      lab.notices.mailbox().find(({ subject }) => subject.includes(incident.id)),
    );
    const mail = await world.until('PagesMissed rings', 40, () =>
      world.topic.find(({ alarm, state }) => alarm === 'PagesMissed' && state === 'ALARM'),
    );
    const before = pagesOf(stage, incident).length;
    say(`${notice.subject}; ${mail.alarm} by the alarm topic of ${mail.region}`);
    findings.promise(
      'I5.auditor',
      'A page that was due and not sent is found by the auditor, who tells by a way that is no channel of pages.',
      before === 0 && notice.text.includes(people.first),
      `${before} pages sent while the sender was broken; "${notice.subject}", alarm ${mail.alarm} in ${mail.region}`,
    );
    lab.beforeStep = async () => {};
    await world.delivery('once the sender works again', 60, ({ incidentId }) => incidentId === incident.id);
    say('the sender works again, and the page is out');
    world.broken.delete(`${region}/${service}`);
    await resolution(stage, incident, 60);
  });
}
