import { PatientRef } from '../../../functions/audit/events/event.ts';
import { bodyOf } from '../../../functions/audit/events/recorded.ts';
import type { EventFilter } from '../../../functions/audit/ports.ts';
import { readEvents } from '../../../functions/audit/query/read-events.ts';
import { after, before, days, minutes } from '../../../functions/common/duration.ts';
import type { HospitalEvent } from '../../audit/hospital-events.ts';
import { readLog } from '../../audit/read-log.ts';
import { type AuditStage, overHttps, someEvents, startLogging } from './stage.ts';

/** Small, so that there are many pages. */
const PAGE = 3;
const reader = { by: 'cli/auditor', purpose: 'who touched that record' } as const;

/** Who touched a record, page by page, while applications go on logging about the same people. */
export async function query(stage: AuditStage): Promise<void> {
  const { world, phases, findings } = stage;
  await someEvents(stage);
  await phases.run('Ask who touched what, while more is logged', async (say) => {
    const region = world.regions.startedAs('tertiary');
    const known = stage.told.flatMap(({ acknowledged }) => [...acknowledged.values()].map(({ event }) => event));
    const wanted = mostOften(known);
    const logging = startLogging(stage, world.regions.primary, overHttps(stage, world.regions.primary), { perSecond: 60, batch: 20 });
    const asked: string[] = [];
    let wrong = 0;
    let pages = 0;
    for (const [name, of, filter] of wanted) {
      const read = await allPages(stage, region, filter);
      pages += read.pages;
      const ids = read.ids;
      const missing = known.filter((event) => of(event) && !ids.includes(event.eventId)).length;
      const twice = ids.length - new Set(ids).size;
      wrong += missing + twice + read.outOfOrder;
      asked.push(`by ${name} ${ids.length} found, ${missing} missing, ${twice} twice`);
    }
    await logging.stop();
    say(`${pages} pages`);
    findings.promise(
      'A2.query',
      'Events are found by patient, user and resource, newest first, each once, whatever is logged while the pages are turned.',
      wrong === 0 && pages > wanted.length && logging.acknowledged.size > 0,
      `${asked.join('; ')}; ${pages} pages while ${logging.acknowledged.size} events came in`,
    );
    await judgeReads(stage, region, pages);
  });
}

/** Three questions, each about what occurs most often. */
function mostOften(known: readonly HospitalEvent[]) {
  const most = (of: (event: HospitalEvent) => string): string => {
    const groups = [...Map.groupBy(known, of)].sort((a, b) => b[1].length - a[1].length);
    return groups[0]?.[0] ?? '';
  };
  const time = { from: before(new Date(), days(1)), until: after(new Date(), minutes(5)) };
  const [patient, user, resource] = [most((event) => event.patientRef), most((event) => event.userId), most((event) => event.resource)];
  return [
    ['patient', (event: HospitalEvent) => event.patientRef === patient, { ...time, patientRef: PatientRef.parse(patient) }],
    ['user', (event: HospitalEvent) => event.userId === user, { ...time, userId: user }],
    ['resource', (event: HospitalEvent) => event.resource === resource, { ...time, resource }],
  ] as const satisfies readonly (readonly [string, (event: HospitalEvent) => boolean, EventFilter])[];
}

async function allPages({ world }: AuditStage, region: (typeof world)['regions']['primary'], filter: EventFilter) {
  const { auditEvents, auditLog } = world.lab.ports(region);
  const ids: string[] = [];
  let [pages, outOfOrder, last]: [number, number, string] = [0, 0, '9999'];
  let next: string | undefined;
  do {
    const page = await readEvents({ auditEvents, auditLog, clock: world.lab.clock, region }, filter, { ...reader, limit: PAGE, next });
    for (const event of page.events) {
      const at = bodyOf(event)?.at ?? '';
      if (at > last) outOfOrder += 1;
      last = at;
      ids.push(event.eventId);
    }
    pages += 1;
    next = page.next;
  } while (next !== undefined);
  return { ids, pages, outOfOrder };
}

/** Row A7: each page that somebody saw is an act of the log, in the Region where it was read. */
async function judgeReads({ world, findings }: AuditStage, region: (typeof world)['regions']['primary'], pages: number): Promise<void> {
  await world.integrated([region], 30);
  const { auditLog, auditEvents } = world.lab.ports(region);
  const reads = (await auditLog.recent(new Date(0), 100_000)).filter(({ action, actor }) => action === 'audit.read' && actor === reader.by);
  const inLog = new Set(readLog(world.logDir(region)).eventIds);
  let proven = 0;
  for (const { actId } of reads) {
    const events = await auditEvents.ofAct(actId);
    if (events.length > 0 && events.every(({ eventId }) => inLog.has(eventId))) proven += 1;
  }
  findings.promise(
    'A7',
    'Whoever reads the audit log is in it.',
    reads.length === pages && proven === pages,
    `${pages} pages were read, ${reads.length} reads are recorded, ${proven} of them in the signed log`,
  );
}
