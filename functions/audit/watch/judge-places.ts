import { LogDamaged } from '../errors.ts';
import { TILE_WIDTH } from '../log/models.ts';
import type { Place, RecordedEvent } from '../ports.ts';
import type { AuthenticLog } from './authentic-log.ts';
import { LogRewritten } from './errors.ts';
import type { Finding } from './finding.ts';

/** An event of the table and the place that is noted for it. */
export interface Placed {
  readonly event: Pick<RecordedEvent, 'region' | 'eventId' | 'leaf'>;
  readonly place: Place | undefined;
  /** It waits in the queue still. */
  readonly waits: boolean;
}

/** The log of a generation; undefined where nothing is published. @throws LogRewritten, LogDamaged */
export type LogOf = (generation: number) => Promise<AuthenticLog | undefined>;

/**
 * Whether each event stands in the log where it is said to stand. Bundles are read once for all events of a call that are in them, so neighbours in time cost little. What
 * cannot be read because the log is damaged there says nothing of its events: reading the entries tells of it.
 */
export async function judgePlaces(placed: readonly Placed[], newest: number, logOf: LogOf): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const bundles = new Map<string, Promise<readonly Uint8Array[]>>();
  for (const { event, place, waits } of placed) {
    const { region, eventId } = event;
    const find = (code: Finding['code'], says: string, generation = newest) =>
      findings.push({ code, region, generation, subject: eventId, says });
    if (!place) {
      if (waits) find('AuditEventNotIntegrated', `event ${eventId} waits for its place in the log`);
      else find('AuditLogGap', `event ${eventId} has no place in the log and waits for none`);
      continue;
    }
    const { generation, index } = place;
    const log = await unlessDamaged(logOf(generation));
    if (log === 'damaged') continue;
    if (!log || index >= log.size) {
      find('AuditLogGap', `event ${eventId} should be entry ${index}, and the log has ${log?.size ?? 0}`, generation);
      continue;
    }
    const bundle = Math.floor(index / TILE_WIDTH);
    const key = `${generation} ${bundle}`;
    const entries = bundles.get(key) ?? log.entries(bundle);
    bundles.set(key, entries);
    const read = await unlessDamaged(entries);
    if (read === 'damaged') continue;
    const entry = read[index % TILE_WIDTH];
    if (!entry || Buffer.from(entry).toString('utf8') !== event.leaf)
      find('AuditLogGap', `event ${eventId} is not entry ${index}, which is its place`, generation);
  }
  return findings;
}

const unlessDamaged = <T>(reading: Promise<T>): Promise<T | 'damaged'> =>
  reading.catch((error: unknown) => {
    if (error instanceof LogRewritten || error instanceof LogDamaged) return 'damaged' as const;
    throw error;
  });
