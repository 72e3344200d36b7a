import type { NewAuditEvent } from '../../../clients/audit-client/log-event.ts';
import { createAuditClient } from '../../../clients/audit-client/log-event.ts';
import { EventId } from '../../../functions/audit/events/event.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { auditBusName } from '../../../functions/common/names.ts';
import { Applications, type Tell } from '../../audit/applications.ts';
import { auditLogDir } from '../../audit/objects.ts';
import { readLogs } from '../../audit/read-log.ts';
import { type AuditWorld, application } from '../../audit/world.ts';
import type { Phases } from '../../phases.ts';
import type { Findings } from '../../report.ts';

/** What a part of the audit scenario works with. */
export interface AuditStage {
  readonly world: AuditWorld;
  readonly phases: Phases;
  readonly findings: Findings;
  /** Everything that applications were promised so far, by whom. */
  readonly told: Applications[];
}

const credentials = { accessKeyId: application.accessKeyId, secretAccessKey: application.secretAccessKey };
/** The client's own attempts; applications of the lab go on after them. */
const patience = { attempts: 3, timeoutMilliseconds: 5_000 };

/** Over HTTPS with the client that applications use; what comes back is durable. */
export function overHttps({ world }: AuditStage, region: Region): Tell {
  const client = createAuditClient({ url: world.door(region).url, region, credentials, ...patience });
  return (events) => client.logEvents(asSent(events));
}

/** Over the Region's bus, with the same client. */
export function overBus({ world }: AuditStage, region: Region): Tell {
  const busName = auditBusName(world.lab.operations);
  const endpoint = world.eventBridge(region).server.url;
  const client = createAuditClient({ busName, source: 'lab.imaging', endpoint, region, credentials, ...patience });
  return (events) => client.logEvents(asSent(events));
}

/** An application in JavaScript gives whatever it gives: bad events too. */
function asSent(events: readonly unknown[]): readonly NewAuditEvent[] {
  const words: NewAuditEvent[] = JSON.parse(JSON.stringify(events));
  return words;
}

let applications = 0;

/** Applications of a Region begin to log, with seeds of their own. */
export function startLogging(
  stage: AuditStage,
  region: Region,
  tell: Tell,
  { perSecond, batch }: { readonly perSecond: number; readonly batch: number },
): Applications {
  applications += 1;
  const started = new Applications({ region, tell, perSecond, batch, seed: stage.world.seed * 1000 + applications });
  stage.told.push(started);
  return started;
}

/** Some events in the log, where no other part has made any. */
export async function someEvents(stage: AuditStage): Promise<void> {
  const { world } = stage;
  if (stage.told.some(({ acknowledged }) => acknowledged.size > 0)) return;
  const logging = world.regions.names.map((region) => startLogging(stage, region, overHttps(stage, region), { perSecond: 400, batch: 50 }));
  await world.lab.clock.sleep(1_500);
  await Promise.all(logging.map((each) => each.stop()));
  await world.integrated(world.regions.names, 20);
}

/** What the logs of one Region hold of what was promised there. */
export interface Reckoning {
  readonly promised: number;
  readonly entries: number;
  readonly missing: number;
  readonly twice: number;
  /** Entries of no event that the table has. */
  readonly unknown: number;
}

/** Holds everything that applications of a Region were promised against its logs' files, and those against the table of events (P8). */
export async function reckon({ world, told }: AuditStage, region: Region): Promise<Reckoning> {
  const promised = told.filter((each) => each.region === region).flatMap(({ acknowledged }) => [...acknowledged.keys()]);
  const logs = readLogs(auditLogDir(world.regions.paths(region)));
  const entries = logs.flatMap(({ eventIds }) => eventIds);
  const ofEvents = entries.filter((id) => id !== '');
  const inLog = new Set(ofEvents);
  const known = await world.lab.ports(region).auditEvents.get(ofEvents.map((id) => ({ region, eventId: EventId.parse(id) })));
  return {
    promised: promised.length,
    entries: entries.length,
    missing: promised.filter((id) => !inLog.has(id)).length,
    twice: ofEvents.length - inLog.size,
    // The first entry of a log that follows another one is of that one.
    unknown: entries.length - known.length - logs.filter(({ predecessor }) => predecessor).length,
  };
}

export const isWhole = ({ missing, twice, unknown, promised }: Reckoning): boolean => missing + twice + unknown === 0 && promised > 0;

export const reckoningFigure = ({ promised, entries, missing, twice, unknown }: Reckoning): string =>
  `${promised} promised, ${entries} in the log, ${missing} missing, ${twice} twice, ${unknown} of no event`;
