import { minutes, secondsBetween } from '../../common/duration.ts';
import type { DatabaseId, Region } from '../../common/ids.ts';
import { databaseOf } from '../../common/operations-lookup.ts';
import type { PortsFor } from '../../common/ports.ts';
import { defineStep } from '../../common/task.ts';
import { contentRoot } from '../content-root.ts';
import { BackupDamaged } from '../errors.ts';
import { inspectRestored } from '../inspect-restored.ts';
import type { Inspection } from '../inspection.ts';
import { type JudgeContext, judge } from '../judge.ts';
import { decodeManifest, type Manifest } from '../manifest.ts';
import { type Measured, VerificationRecord } from '../models.ts';
import { sha256Hex } from '../proof.ts';

const compareNeeds = ['sql-servers:restored', 'manifests:read', 'recovery-points:read'] as const;
type Context = PortsFor<(typeof compareNeeds)[number]>;

/** A restore to a second may miss the canaries that were not written for this long: one run of the task that came late. */
const canaryPause = minutes(3);

/** Puts every question to the restored database and judges the answers (rows V2, V3). */
export const compareContent = defineStep({
  name: 'compare-content',
  summary: 'Compares the restored database with the manifest taken at backup time.',
  network: 'isolated',
  timeout: minutes(15),
  memoryMegabytes: 1769,
  needs: compareNeeds,
  input: VerificationRecord,
  async run(record, context) {
    const { operations, sqlServers, clock, deadline, region } = context;
    const database = databaseOf(operations, record.databaseId);
    const begun = clock.now();
    const server = await sqlServers.restored({ databaseId: record.databaseId, region, restoredId: record.verificationId });
    const { manifest, judging } = await expectations(record, context);
    const inspection = await inspectRestored(server, {
      manifest,
      databaseNames: database.databaseNames,
      invariants: database.invariants,
      deadline,
      clock,
    });
    const checks = [...record.checks, ...judge(inspection, manifest, judging)];
    const root = contentRoot(inspection);
    const measured: Measured = {
      ...record.measured,
      ...losses(inspection, manifest, judging, clock.now()),
      ...sizes(inspection),
      checkSeconds: secondsBetween(begun, clock.now()),
    };
    return { ...record, checks, measured, ...(root === undefined ? {} : { contentRoot: root }) };
  },
});

/** What the copy is held against. @throws BackupDamaged when the manifest is not the one that was taken with the backup */
async function expectations(
  { target, databaseId, region }: VerificationRecord,
  { recoveryPoints, manifests }: Context,
): Promise<{ readonly manifest: Manifest | undefined; readonly judging: JudgeContext }> {
  if (target.kind === 'point-in-time') {
    const time = new Date(target.time);
    const nearest = await nearestManifest(databaseId, region, time, { recoveryPoints, manifests });
    const judging = { target: { kind: 'point-in-time', time, canaryPauseSeconds: canaryPause, ...(nearest ? { nearest } : {}) } } as const;
    return { manifest: undefined, judging };
  }
  const point = await recoveryPoints.get(target.recoveryPointId);
  const bytes = await manifests.get(region, target.recoveryPointId);
  if (bytes && sha256Hex(bytes) !== point?.manifestSha256)
    throw new BackupDamaged(`the manifest of ${target.recoveryPointId} is not the one that was taken with it`);
  return {
    manifest: bytes && decodeManifest(bytes),
    judging: { target: { kind: 'recovery-point' }, expectedContentRoot: point?.contentRoot },
  };
}

/** The manifest of the last backup before that time, or of the first one after it. */
async function nearestManifest(
  databaseId: DatabaseId,
  region: Region,
  time: Date,
  { recoveryPoints, manifests }: Pick<Context, 'recoveryPoints' | 'manifests'>,
): Promise<Manifest | undefined> {
  const distance = (requestedAt: string) => {
    const before = secondsBetween(new Date(requestedAt), time);
    return before >= 0 ? before : Number.MAX_SAFE_INTEGER / 2 - before;
  };
  const withManifest = (await recoveryPoints.list(databaseId)).filter((point) => point.manifestSha256);
  const [nearest] = withManifest.sort((a, b) => distance(a.requestedAt) - distance(b.requestedAt));
  const bytes = nearest && (await manifests.get(region, nearest.id));
  return bytes && decodeManifest(bytes);
}

/**
 * Data loss from canaries, the worst of all databases. For a backup, the instant that it should show is taken as late as it can be: when
 * its capture was confirmed. So the loss is at most this.
 */
function losses(
  inspection: Inspection,
  manifest: Manifest | undefined,
  { target }: JudgeContext,
  now: Date,
): Pick<Measured, 'lossSeconds' | 'exposureSeconds'> {
  const perDatabase = inspection.databases.flatMap(({ name, canary }) => {
    if (!canary?.newest) return [];
    const newest = new Date(canary.newest.writtenAt);
    const end = manifest?.databases.find((each) => each.name === name)?.endCanary.writtenAt;
    const shown = target.kind === 'point-in-time' ? target.time : end === undefined ? undefined : new Date(end);
    return shown ? [{ loss: Math.max(0, secondsBetween(newest, shown)), exposure: Math.max(0, secondsBetween(newest, now)) }] : [];
  });
  if (perDatabase.length === 0) return {};
  return {
    lossSeconds: Math.max(...perDatabase.map(({ loss }) => loss)),
    exposureSeconds: Math.max(...perDatabase.map(({ exposure }) => exposure)),
  };
}

function sizes(inspection: Inspection): Pick<Measured, 'rows' | 'tables'> {
  const tables = inspection.databases.flatMap((database) => database.tables);
  return { tables: tables.length, rows: tables.reduce((sum, table) => sum + Number(table.total.count), 0) };
}
