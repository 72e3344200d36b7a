import { EventId } from '../../../functions/audit/events/event.ts';
import type { Applications } from '../../audit/applications.ts';
import { waysToSpoil } from '../../audit/spoilt-events.ts';
import { type AuditStage, isWhole, overBus, overHttps, reckon, reckoningFigure, startLogging } from './stage.ts';

/** How long applications log. */
const LOAD_MS = 8_000;
/** Of one Region. Every one of them is written through files that processes share, which is what limits the lab. */
const byHttps = { perSecond: 120, batch: 40 };
const byBus = { perSecond: 30, batch: 10 };
/** Of the issue: from durable to integrated. */
const INTEGRATED_SECONDS = 2;
/** Row A2: other Regions have it within a minute. */
const REPLICATED_SECONDS = 60;

const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;

const codesOf = (applications: readonly Applications[]): ReadonlySet<string> =>
  new Set(applications.flatMap(({ refused }) => [...refused.keys()]));

/** Applications of three Regions log under load, over HTTPS with the client and over the bus, bad events among good ones and batches told twice. */
export async function underLoad(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  const { names } = world.regions;
  await phases.run('Log from applications of three Regions, over HTTPS and over the bus', async (say) => {
    const began = performance.now();
    const https = names.map((region) => startLogging(stage, region, overHttps(stage, region), byHttps));
    const bus = names.map((region) => startLogging(stage, region, overBus(stage, region), byBus));
    await world.lab.clock.sleep(LOAD_MS);
    // On a busy machine fewer batches come than there are ways to get an event wrong.
    await world.until('every way of getting an event wrong was tried', 60, () => (codesOf(https).size === waysToSpoil ? true : undefined));
    await Promise.all([...https, ...bus].map((each) => each.stop()));
    const seconds = (performance.now() - began) / 1000;
    for (const region of names)
      await world.until(`the bus of ${region} is empty`, 30, () => (world.bus(region).depth('audit-events') === 0 ? true : undefined));
    await world.integrated(names, 30);
    const events = [...https, ...bus].reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
    findings.measure('eventsPerSecond', events / seconds);
    say(`${events} events in ${seconds.toFixed(1)} s`);
    await judgeDoors(stage, https);
    await judgeBus(stage, bus);
    await judgeReplication(stage, https);
    await judgeIntegration(stage, https);
  });
}

async function judgeDoors({ world, findings }: AuditStage, https: readonly Applications[]): Promise<void> {
  const wrong = https.flatMap(({ wronglyJudged }) => wronglyJudged);
  const codes = codesOf(https);
  const refused = https.reduce((sum, each) => sum + [...each.refused.values()].reduce((a, b) => a + b, 0), 0);
  const unsigned = await fetch(`${world.door(world.regions.primary).url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: '[]',
  });
  let lost = 0;
  for (const { region, acknowledged } of https) {
    const ids = [...acknowledged.keys()].map((id) => EventId.parse(id));
    const found = await world.lab.ports(region).auditEvents.get(ids.map((eventId) => ({ region, eventId })));
    lost += ids.length - found.length;
  }
  findings.promise(
    'A1',
    'What is acknowledged is durable; each bad event gets its reason and sinks no other; who does not sign gets nothing in.',
    lost === 0 && wrong.length === 0 && codes.size === waysToSpoil && unsigned.status === 403,
    `${refused} bad events refused for ${codes.size} reasons, ${wrong.length} judged wrongly${wrong[0] ? ` (${wrong[0]})` : ''}, ${https.reduce((sum, { repeats }) => sum + repeats, 0)} batches told twice, unsigned: ${unsigned.status}`,
  );
}

/** The bus delivers out of order, and a tenth of it twice; nobody is there to be told what was refused, so it becomes acts. */
async function judgeBus({ world, findings }: AuditStage, bus: readonly Applications[]): Promise<void> {
  const sent = bus.reduce((sum, { badSent }) => sum + badSent, 0);
  // One bad event in each. Of those whose answer was lost on the way the applications do not know.
  const taken = bus.reduce((sum, { region }) => sum + world.eventBridge(region).taken, 0);
  let toldOf = 0;
  let missing = 0;
  for (const { region, acknowledged } of bus) {
    const { auditEvents, auditLog } = world.lab.ports(region);
    const ids = [...acknowledged.keys()].map((id) => EventId.parse(id));
    missing += ids.length - (await auditEvents.get(ids.map((eventId) => ({ region, eventId })))).length;
    const acts = await auditLog.recent(new Date(0), 100_000);
    toldOf += acts
      .filter((act) => act.action === 'refuse-audit-events' && act.region === region)
      .reduce((sum, { details }) => sum + Number(details.refused), 0);
  }
  findings.promise(
    'A1.bus',
    'What the bus delivers, out of order and twice, is recorded once; what is refused is told by acts in the log.',
    missing === 0 && toldOf >= sent && toldOf <= taken && sent > 0,
    `${bus.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)} events of the bus, ${missing} missing; ${sent} bad ones in ${taken} deliveries, ${toldOf} told of`,
  );
}

/** The lab's global table is one store that all Regions look into: what is seen is that nothing of ours stands in between. */
async function judgeReplication(stage: AuditStage, https: readonly Applications[]): Promise<void> {
  const { world, findings } = stage;
  const [here] = https;
  const event = here && [...here.acknowledged.values()].at(-1);
  if (!here || !event) throw new TypeError('something was logged');
  const eventId = EventId.parse(event.event.eventId);
  const others = world.regions.names.filter((region) => region !== here.region);
  const began = performance.now();
  const found = [];
  for (const region of others) found.push(...(await world.lab.ports(region).auditEvents.get([{ region: here.region, eventId }])));
  const seconds = (performance.now() - began) / 1000;
  findings.promise(
    'A2.replication',
    'An event of one Region is found in the others within a minute.',
    found.length === others.length && seconds < REPLICATED_SECONDS,
    `read in ${others.join(' and ')} within ${seconds.toFixed(2)} s (one store in the lab; DynamoDB's global table on AWS)`,
  );
}

async function judgeIntegration(stage: AuditStage, https: readonly Applications[]): Promise<void> {
  const { world, findings } = stage;
  const seconds: number[] = [];
  for (const { region, acknowledged } of https) {
    const { auditQueue } = world.lab.ports(region);
    for (const { event, atMs } of acknowledged.values()) {
      const place = await auditQueue.place(EventId.parse(event.eventId));
      const at = place && world.checkpoints.integratedAtMs(region, place.index);
      seconds.push(at === undefined ? Number.POSITIVE_INFINITY : Math.max(0, at - atMs) / 1000);
    }
  }
  seconds.sort((a, b) => a - b);
  const [p50, p99] = [percentile(seconds, 0.5), percentile(seconds, 0.99)];
  findings.measure('integrationP50Seconds', p50);
  findings.measure('integrationP99Seconds', p99);
  findings.objective('integrationP99Seconds', INTEGRATED_SECONDS);
  const reckonings = [];
  for (const region of world.regions.names) reckonings.push(await reckon(stage, region));
  findings.promise(
    'P8',
    'No acknowledged event is missing from its Region’s log, and none is there twice.',
    reckonings.every(isWhole),
    reckonings.map((each, index) => `${world.regions.names[index]}: ${reckoningFigure(each)}`).join('; '),
  );
  findings.promise(
    'P8.integrated',
    'An acknowledged event is in a published, signed checkpoint within two seconds.',
    p99 <= INTEGRATED_SECONDS,
    `from acknowledgement to the checkpoint: p50 ${p50.toFixed(2)} s, p99 ${p99.toFixed(2)} s, of ${seconds.length} events`,
  );
}
