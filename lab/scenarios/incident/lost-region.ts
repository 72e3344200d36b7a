import { people } from '../../incident/policy.ts';
import { press } from './press.ts';
import { type IncidentStage, pagesOf } from './stage.ts';

/** What each Region leaves to the one before it (functions/incidents/escalation/shared-cause.ts), and a little more. */
const forwardSeconds = 65;

/** The leading Region is lost: both others see it, and people are told by one of them. */
export async function lostRegion(stage: IncidentStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { regions, network, lab } = world;
  const lost = regions.primary;
  const [first, second] = [regions.startedAs('standby'), regions.startedAs('tertiary')];
  await phases.run(`Lose ${lost}, and everything in it`, async (say) => {
    const since = lab.clock.now();
    const beganMs = network.kill(regions, lost);
    const seen = { alarm: 'RegionDown', subject: lost, region: lost };
    const incidents = await world.until('both other Regions know', 90, async () => {
      const found = (await world.incidents()).filter(
        ({ troubles, openedAt }) =>
          Date.parse(openedAt) >= since.getTime() &&
          troubles.some(({ alarm, subject }) => alarm === seen.alarm && String(subject) === seen.subject),
      );
      return new Set(found.map(({ home }) => home)).size === 2 ? found : undefined;
    });
    const [at, other] = [first, second].map((region) => incidents.find(({ home }) => home === region));
    if (!at || !other) throw new TypeError('two homes are known');
    const page = await world.delivery('of the lost Region', 30, ({ incidentId }) => incidentId === at.id);
    const took = (page.atMs - beganMs) / 1000;
    say(`${page.subject}: ${page.person} is told by ${at.home} after ${took.toFixed(1)} s`);
    await press(page.acknowledgeUrl ?? '');
    lab.advance(forwardSeconds); // the other one's turn
    await lab.clock.sleep(4_000);
    const tellings = [pagesOf(stage, at), pagesOf(stage, other)];
    findings.measure('regionPageSeconds', took);
    findings.promise(
      'I2.region',
      'A lost Region is an incident of both others, and people are told by one of them.',
      tellings[0]?.filter(({ person }) => person === people.first).length === 1 && tellings[1]?.length === 0,
      `${at.home} told ${tellings[0]?.map(({ person }) => person).join(', ')}; ${other.home}, a minute later, told ${tellings[1]?.map(({ person }) => person).join(', ') || 'nobody'}`,
    );
  });
}
