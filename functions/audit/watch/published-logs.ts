import type { Region } from '../../common/ids.ts';
import type { ReadObject } from '../log/append.ts';
import { logKey } from '../log/log-key.ts';
import type { LogHead } from '../log/models.ts';
import type { AuditHead, AuditObjects, AuditWatchMemory } from '../ports.ts';
import type { Published } from './judge-checkpoint.ts';

type KeyPorts = Parameters<typeof logKey>[1];

export interface PublishedPorts extends Pick<KeyPorts, 'operations' | 'checkpointSigner'> {
  /** Where this runs. */
  readonly region: Region;
  readonly auditObjects: Pick<AuditObjects, 'get'>;
  readonly auditHead: Pick<AuditHead, 'read'>;
  readonly auditWatchMemory: Pick<AuditWatchMemory, 'last'>;
}

/** What one Region has published, as it was read in the order that the judgements rest on. */
export interface RegionLogs {
  readonly region: Region;
  /** Newest generation first; those that are published or were seen. */
  readonly published: readonly Published[];
  /** Of this Region's own log; the head of another is out of reach. */
  readonly head?: { readonly before: LogHead | undefined; readonly after: LogHead | undefined };
}

/**
 * Reads all checkpoints of a Region. The order makes a sequencer at work look sound: what was seen and the head come first, since the log only moves on from there; then the
 * checkpoints, a successor before the log that it closed; then the head once more. S3 and DynamoDB read consistently in these calls.
 *
 * @throws ServiceUnavailable when the Region cannot be reached
 */
export async function readPublished(region: Region, ports: PublishedPorts): Promise<RegionLogs> {
  const { operations, auditObjects, auditHead, auditWatchMemory } = ports;
  const own = region === ports.region;
  const text = async (path: string) => {
    const bytes = await auditObjects.get(region, path);
    return bytes && Buffer.from(bytes).toString('utf8');
  };
  const before = own ? await auditHead.read() : undefined;
  const generations = Array.from({ length: Math.max(operations.audit.generation, before?.generation ?? 1) }, (_, index) => index + 1);
  const seen = await Promise.all(generations.map((generation) => auditWatchMemory.last(region, generation)));
  const published: Published[] = [];
  for (const generation of generations.toReversed()) {
    const note = await text(`${generation}/checkpoint`);
    const last = seen[generation - 1];
    if (note === undefined && !last) continue;
    const { verifierKey } = await logKey(generation, { ...ports, region });
    const toldKey = await text(`${generation}/verifier-key`);
    published.push({
      ...{ region, generation, verifierKey },
      ...(note === undefined ? {} : { note }),
      ...(toldKey === undefined ? {} : { toldKey }),
      ...(last ? { last } : {}),
    });
  }
  return { region, published, ...(own ? { head: { before, after: await auditHead.read() } } : {}) };
}

/** Objects of one generation, by the paths that the tree knows. */
export const objectsOf =
  (auditObjects: Pick<AuditObjects, 'get'>, { region, generation }: { readonly region: Region; readonly generation: number }): ReadObject =>
  (path) =>
    auditObjects.get(region, `${generation}/${path}`);
