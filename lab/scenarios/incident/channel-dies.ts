import { people } from '../../incident/policy.ts';
import { type Pressed, press } from './press.ts';
import { type IncidentStage, incidentAbout, pagesOf, resolution, tellingsSince } from './stage.ts';
import type { Answered } from './unanswered.ts';

const service = 'records';
/** Three tries at the first channel and the way to the next one; in the lab on a busy machine. */
const promiseSeconds = 20;

/** The first channel is dead: the page takes the person's next way. */
export async function channelDies(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const region = world.regions.primary;
  await phases.run('Kill the carrier of e-mail, and take a service down', async (say) => {
    world.carriers.of('email').kill();
    world.broken.add(`${region}/${service}`);
    const incident = await incidentAbout(stage, { alarm: 'ServiceDown', subject: service, region }, 60);
    const beganMs = performance.now();
    const page = await world.delivery(
      'by another channel',
      60,
      ({ incidentId, person }) => incidentId === incident.id && person === people.first,
    );
    const took = (page.atMs - beganMs) / 1000;
    say(`e-mail is dead: ${page.person} is told by ${page.method} after ${took.toFixed(1)} s`);
    findings.measure('secondChannelSeconds', took);
    findings.objective('secondChannelSeconds', promiseSeconds);
    findings.promise(
      'I4.channel',
      'When a channel is dead, the same person is told by the next one.',
      page.method === 'sms' && took <= promiseSeconds,
      tellingsSince(pagesOf(stage, incident), beganMs),
    );
    await press(page.acknowledgeUrl ?? '');
    await world.carriers.of('email').revive();
    world.broken.delete(`${region}/${service}`);
    await resolution(stage, incident, 60);
  });
}

/** A link that nobody signed, and one that was used: refused, and in the audit log. */
export async function badLinks(stage: IncidentStage, { answered }: Answered): Promise<void> {
  const { world, phases, findings } = stage;
  await phases.run('Press a forged link, and one that was used', async () => {
    const url = answered.acknowledgeUrl ?? '';
    const forged = await press(`${url.slice(0, -4)}${url.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`);
    const spent = await press(url);
    const refusals = await refusalsIn(stage, 'acknowledge-by-link');
    const isRefused = ({ answered: status }: Pressed): boolean => status >= 400 && status < 500;
    findings.promise(
      'I5.links',
      'A forged link and a spent one are refused, and audited.',
      isRefused(forged) && isRefused(spent) && refusals >= 2,
      `forged ${forged.answered}, spent ${spent.answered}, ${refusals} refusals in the audit log of ${world.regions.primary}`,
    );
  });
}

async function refusalsIn({ world }: IncidentStage, action: string): Promise<number> {
  const { auditLog } = world.lab.ports(world.regions.primary);
  const events = await auditLog.recent(new Date(world.lab.clock.now().getTime() - 3_600_000), 10_000);
  return events.filter((event) => event.action === action && event.phase === 'outcome' && event.outcome === 'failure').length;
}
