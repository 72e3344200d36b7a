import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import type { SnapshotIntegrity } from '../../functions/backup/ports.ts';
import { messageOf } from '../../functions/common/errors.ts';
import { WAL_SEGMENT_BYTES } from '../postgres/config.ts';
import { walSegments } from '../postgres/lsn.ts';
import { regionKey } from '../region.ts';
import type { Regions } from '../regions.ts';
import { DamagedObject } from './cipher.ts';
import { readObject } from './object.ts';
import { BackupContents, CONTENTS_FILE, type Sidecar } from './sidecar.ts';
import { SnapshotStore } from './store.ts';

type Found = ReadonlyMap<string, { readonly size: number; readonly sha256: string }>;

const MOST_FINDINGS = 20;

/** Judges every stored byte: the object's hash, its authentication tag, each file inside, and that no piece of the log is missing. */
export function labSnapshotIntegrity(regions: Regions): SnapshotIntegrity {
  return {
    async check({ region: name, snapshotId }) {
      const region = regions.use(name);
      const store = new SnapshotStore(region);
      const sidecar = store.sidecar(snapshotId);
      const object = store.objectPath(snapshotId);
      if (!sidecar)
        return [
          store.isUnreadable(snapshotId) ? 'the description of the snapshot is missing or cannot be read' : 'there is no such snapshot',
        ];
      if (!existsSync(object)) return ['the stored object is missing'];
      const outside = [...describedWrongly(sidecar, snapshotId, regions.state.deployment), ...(await storedWrongly(sidecar, object))];
      const inside = await openAndJudge(sidecar, object, region);
      return [...outside, ...inside].slice(0, MOST_FINDINGS);
    },
  };
}

function describedWrongly(sidecar: Sidecar, snapshotId: string, owner: string): readonly string[] {
  const findings = [];
  if (sidecar.snapshotId !== snapshotId) findings.push(`the snapshot describes itself as ${sidecar.snapshotId}`);
  if (sidecar.tags.owner !== owner) findings.push(`the snapshot belongs to ${sidecar.tags.owner}`);
  return findings;
}

async function storedWrongly({ sizeBytes, sha256 }: Sidecar, object: string): Promise<readonly string[]> {
  const { size } = statSync(object);
  if (size !== sizeBytes) return [`the stored object has ${size} bytes, ${sizeBytes} were written`];
  const hash = createHash('sha256');
  await pipeline(createReadStream(object, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex') === sha256 ? [] : ['the SHA-256 of the stored object differs from the one taken when it was written'];
}

async function openAndJudge(sidecar: Sidecar, object: string, region: Parameters<typeof regionKey>[0]): Promise<readonly string[]> {
  const found = new Map<string, { size: number; sha256: string }>();
  let listed: unknown;
  try {
    await readObject(object, regionKey(region), async ({ name, isDirectory, bytes }) => {
      if (isDirectory) return;
      const hash = createHash('sha256');
      const text: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of bytes()) {
        hash.update(chunk);
        size += chunk.length;
        if (name === CONTENTS_FILE) text.push(chunk);
      }
      if (name === CONTENTS_FILE) listed = JSON.parse(Buffer.concat(text).toString('utf8'));
      else found.set(name, { size, sha256: hash.digest('hex') });
    });
  } catch (error) {
    if (error instanceof DamagedObject || error instanceof SyntaxError) return [messageOf(error)];
    throw error;
  }
  const inside = BackupContents.safeParse(listed);
  if (!inside.success) return ['the object holds no readable list of its files'];
  const findings = isDeepStrictEqual(inside.data, sidecar.contents)
    ? []
    : ['the description of the snapshot is not that of the object: it belongs to another backup'];
  return [...findings, ...filesWrongly(inside.data, found), ...logWrongly(inside.data, found)];
}

function filesWrongly({ files }: BackupContents, found: Found): readonly string[] {
  const findings: string[] = [];
  const expected = new Set(files.map(({ name }) => name));
  for (const { name, size, sha256 } of files) {
    const file = found.get(name);
    if (!file) findings.push(`${name} is missing`);
    else if (file.size !== size) findings.push(`${name} has ${file.size} bytes, ${size} were backed up`);
    else if (file.sha256 !== sha256) findings.push(`the contents of ${name} differ from what was backed up`);
  }
  for (const name of found.keys()) if (!expected.has(name)) findings.push(`${name} was not part of the backup`);
  for (const name of ['backup_label', 'global/pg_control', 'PG_VERSION'])
    if (!found.has(name)) findings.push(`${name}, which every backup has, is missing`);
  return findings;
}

/** Without every segment from start to stop the copy cannot become consistent. */
function logWrongly({ timeline, startLsn, stopLsn }: BackupContents, found: Found): readonly string[] {
  return walSegments(timeline, startLsn, stopLsn).flatMap((segment) => {
    const file = found.get(`pg_wal/${segment}`);
    if (!file) return [`the log segment ${segment} is missing: the log must reach from ${startLsn} to ${stopLsn}`];
    return file.size === WAL_SEGMENT_BYTES ? [] : [`the log segment ${segment} has ${file.size} bytes instead of ${WAL_SEGMENT_BYTES}`];
  });
}
