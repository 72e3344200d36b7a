import { access, chown, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serve, type TestPostgres } from '../../support/postgres.ts';

/** CRC-32C (Castagnoli), as PostgreSQL checks pg_control and each record of the log. */
function crc32c(...parts: readonly Buffer[]): number {
  let crc = 0xffffffff;
  for (const part of parts) {
    for (const byte of part) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const CHECKPOINT_IN_CONTROL = 40;
const RECORD_HEADER = 24;
const CRC_IN_HEADER = 20;
const XIDS_PER_CLOG_FILE = 32 * 32_768;
const CLOG_FILE_BYTES = 32 * 8192;

/** Where `nextXid` stands in a checkpoint of PostgreSQL 18: behind redo (8), two timelines (8), full_page_writes and wal_level (8). */
const NEXT_XID = 24;

/** Ends the server in order, lets it believe that it has given out all transaction ids up to `xid`, and starts it again. */
export async function jumpTo(server: TestPostgres, xid: bigint): Promise<TestPostgres> {
  const { dataDirectory } = server;
  await shutDown(dataDirectory);
  await rewrite(dataDirectory, xid);
  return serve(dataDirectory, { autovacuum: 'off' });
}

async function shutDown(directory: string): Promise<void> {
  const pid = Number((await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGINT');
  const giveUpAt = performance.now() + 30_000;
  const isThere = () =>
    access(join(directory, 'postmaster.pid')).then(
      () => true,
      () => false,
    );
  while (await isThere()) if (performance.now() > giveUpAt) throw new Error('the server does not end');
}

async function rewrite(directory: string, xid: bigint): Promise<void> {
  const controlPath = join(directory, 'global/pg_control');
  const control = await readFile(controlPath);
  // ControlFileData: system identifier (8), two versions (8), state and time (16), then the place of the last checkpoint and a copy of it.
  const place = control.readBigUInt64LE(32);
  const segmentBytes = 16 * 1024 * 1024;
  const timeline = control.readUInt32LE(CHECKPOINT_IN_CONTROL + 8);
  const segment = Number(place / BigInt(segmentBytes));
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  const wal = join(directory, 'pg_wal', hex(timeline) + hex(Math.floor(segment / 256)) + hex(segment % 256));
  const file = await open(wal, 'r+');
  try {
    const at = Number(place % BigInt(segmentBytes));
    const header = Buffer.alloc(RECORD_HEADER);
    await file.read(header, 0, RECORD_HEADER, at);
    const body = Buffer.alloc(header.readUInt32LE(0) - RECORD_HEADER);
    await file.read(body, 0, body.length, at + RECORD_HEADER);
    const checkpoint = body.subarray(2);
    checkpoint.writeBigUInt64LE(xid, NEXT_XID);
    control.writeBigUInt64LE(xid, CHECKPOINT_IN_CONTROL + NEXT_XID);
    header.writeUInt32LE(crc32c(body, header.subarray(0, CRC_IN_HEADER)), CRC_IN_HEADER);
    await file.write(Buffer.concat([header, body]), 0, header.length + body.length, at);
  } finally {
    await file.close();
  }
  await writeControl(controlPath, control);
  await makeClogFile(directory, xid);
}

/** The CRC stands behind the last field; which byte that is depends on the version, so it is looked for. */
async function writeControl(path: string, control: Buffer): Promise<void> {
  const before = await readFile(path);
  for (let at = 200; at < 512; at += 4) {
    if (crc32c(before.subarray(0, at)) !== before.readUInt32LE(at)) continue;
    control.writeUInt32LE(crc32c(control.subarray(0, at)), at);
    await writeFile(path, control);
    return;
  }
  throw new Error('pg_control has no CRC where one could be');
}

async function makeClogFile(directory: string, xid: bigint): Promise<void> {
  const low = Number(BigInt.asUintN(32, xid));
  const path = join(
    directory,
    'pg_xact',
    Math.floor(low / XIDS_PER_CLOG_FILE)
      .toString(16)
      .toUpperCase()
      .padStart(4, '0'),
  );
  if (
    await stat(path).then(
      () => true,
      () => false,
    )
  )
    return;
  await writeFile(path, Buffer.alloc(CLOG_FILE_BYTES));
  const { uid, gid } = await stat(join(directory, 'PG_VERSION'));
  await chown(path, uid, gid);
}
