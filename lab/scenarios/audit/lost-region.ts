import { EventId } from '../../../functions/audit/events/event.ts';
import { type AuditStage, isWhole, overHttps, reckon, reckoningFigure, startLogging } from './stage.ts';

const logging = { perSecond: 100, batch: 25 };
const BEFORE_MS = 1_200;
const LOST_MS = 2_500;
const AFTER_MS = 800;
const PATIENCE_SECONDS = 60;

/** A Region is lost in the middle of everything and comes back: what it acknowledged is there, what got no answer is told again, and the logs of the others never stop. */
export async function lostRegion(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { regions, lab } = world;
  const lost = regions.primary;
  const others = regions.names.filter((region) => region !== lost);
  await phases.run(`Lose ${lost} while applications log, and get it back`, async (say) => {
    const applications = regions.names.map((region) => startLogging(stage, region, overHttps(stage, region), logging));
    const [own] = applications;
    await lab.clock.sleep(BEFORE_MS);
    const before = new Map(regions.names.map((region) => [region, world.checkpoints.size(region)]));
    const retries = own?.retries ?? 0;
    world.killRegion(lost);
    // An answer may have been on its way: once a batch got none, nothing of before is under way any more.
    await world.until('a batch gets no answer', PATIENCE_SECONDS, () => ((own?.retries ?? 0) > retries ? true : undefined));
    const acknowledgedBefore = [...(own?.acknowledged.keys() ?? [])];
    await lab.clock.sleep(LOST_MS);
    const elsewhere = await lab
      .ports(others[0])
      .auditEvents.get(acknowledgedBefore.map((id) => ({ region: lost, eventId: EventId.parse(id) })));
    const grewElsewhere = await world.until('the other logs go on', PATIENCE_SECONDS, () =>
      others.every((region) => world.checkpoints.size(region) > (before.get(region) ?? 0)) ? true : undefined,
    );
    const duringLoss = own?.acknowledged.size ?? 0;
    await world.reviveRegion(lost);
    await lab.clock.sleep(AFTER_MS);
    await Promise.all(applications.map((each) => each.stop()));
    await world.integrated(regions.names, 30);
    const reckonings = [];
    for (const region of regions.names) reckonings.push(await reckon(stage, region));
    say(`${own?.retries ?? 0} batches told again`);
    findings.promise(
      'P8.region',
      'A Region is lost and comes back: what it acknowledged is in its log once, and the other logs never stopped.',
      reckonings.every(isWhole) && grewElsewhere && (own?.retries ?? 0) > 0 && duringLoss === acknowledgedBefore.length,
      `${own?.retries ?? 0} batches of ${lost} told again after it; ${reckonings.map((each, index) => `${regions.names[index]}: ${reckoningFigure(each)}`).join('; ')}`,
    );
    findings.promise(
      'A2.region',
      'Events of a lost Region are found in the others.',
      elsewhere.length === acknowledgedBefore.length && elsewhere.length > 0,
      `${elsewhere.length} of ${acknowledgedBefore.length} events of ${lost} read in ${others[0]} while it was down`,
    );
  });
}
