import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../functions/common/clock.ts';
import { days } from '../../functions/common/duration.ts';
import { RecoveryPointId } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { hospitalPack } from '../../functions/verify/hospital-pack.ts';
import { isSignedBy, proofBytes } from '../../functions/verify/proof.ts';
import { loadHospital, patientsFor } from '../../lab/hospital/generate.ts';
import { startWriter } from '../../lab/hospital/writer.ts';
import { labSqlServers } from '../../lab/sql-servers.ts';
import { type RunningRegions, startRegions } from '../../lab/start.ts';
import { labManifests } from '../../lab/store/manifests.ts';
import { labProofs } from '../../lab/store/proofs.ts';
import { labSigner } from '../../lab/store/signer.ts';
import { labVault } from '../../lab/store/vault.ts';
import { proofOf } from '../support/proofs.ts';
import { databaseId, regionNames, removeDir, startEmptyServer, temporaryDir } from './support/labs.ts';

const { primary, standby } = regionNames;
const seed = 11;
const load = loadHospital(16_000_000);
let base: string;
let lab: RunningRegions;

beforeAll(async () => {
  base = temporaryDir();
  lab = await startRegions({ baseDir: join(base, 'labs'), deployment: 'ward', databaseId, regions: regionNames, seed, load });
});
afterAll(async () => {
  await lab?.stop();
  removeDir(base);
});

async function query(text: string, address = lab.regions.address(primary, 'admin')) {
  const session = await pgServer(address).connect('hospital');
  try {
    return await session.query(text);
  } finally {
    await session.close();
  }
}

/** Breaks data in a transaction that is rolled back, and tells which rules notice. */
async function rulesBrokenBy(damage: string): Promise<readonly string[]> {
  const session = await pgServer(lab.regions.address(primary, 'admin')).connect('hospital');
  try {
    // Foreign keys and triggers off, as when a constraint was lost.
    await session.query('BEGIN; SET LOCAL session_replication_role = replica');
    await session.query(damage);
    const broken: string[] = [];
    for (const { name, sql } of hospitalPack) if ((await session.query(sql)).length > 0) broken.push(name);
    await session.query('ROLLBACK');
    return broken;
  } finally {
    await session.close();
  }
}

describe('the invented hospital', () => {
  test('has the rows that its size asks for, and the sequences stand after them', async () => {
    const [count] = await query(
      `SELECT (SELECT count(*) FROM hospital.patients) AS patients, (SELECT count(*) FROM hospital.results) AS results,
              (SELECT count(*) FROM audit.access) AS accesses`,
    );
    const patients = patientsFor(16_000_000);
    expect(count).toEqual({ patients: String(patients), results: String(patients * 12), accesses: String(patients * 8) });
    const behind = await query(
      `SELECT 1 FROM (SELECT (SELECT max(id) FROM hospital.orders) AS newest, (SELECT last_value FROM hospital.orders_id_seq) AS last) s WHERE last < newest`,
    );
    expect(behind).toEqual([]);
  });

  test('is the same for the same seed, and another for another', async () => {
    const sums = `SELECT (SELECT sum(hashtextextended(p::text, 0)) FROM hospital.patients p) AS patients,
                         (SELECT sum(hashtextextended(e::text, 0)) FROM hospital.encounters e) AS encounters,
                         (SELECT sum(hashtextextended(i::text, 0)) FROM billing.invoices i) AS invoices`;
    const first = await query(sums);
    const again = await startEmptyServer();
    try {
      const target = { admin: again.admin, owner: 'postgres', report: () => {} };
      await load({ ...target, seed });
      expect(await query(sums, again.admin)).toEqual(first);
      const session = await pgServer(again.admin).connect('postgres');
      await session.query('DROP DATABASE hospital');
      await session.close();
      await load({ ...target, seed: seed + 1 });
      expect(await query(sums, again.admin)).not.toEqual(first);
    } finally {
      again.stop();
    }
  });

  test('is owned by the application, and read by Codeblue, who may not write it', async () => {
    const session = await (await labSqlServers(lab.regions).live(databaseId, primary)).connect('hospital');
    await expect(session.query('SELECT count(*) FROM billing.payments')).resolves.toHaveLength(1);
    await expect(session.query('DELETE FROM billing.payments')).rejects.toMatchObject({ sqlState: '42501' });
    await session.query('CREATE SCHEMA own CREATE TABLE own.canary (n int)');
    await session.query('DROP SCHEMA own CASCADE');
    await session.close();
  });
});

describe('the hospital pack', () => {
  test('finds nothing wrong before, during and after load', async () => {
    expect(await rulesBrokenBy('SELECT 1')).toEqual([]);
    const writer = startWriter({ address: () => lab.regions.address(primary, 'application'), connections: 3, seed: 2 });
    await expect.poll(() => writer.report().acknowledged, { timeout: 30_000 }).toBeGreaterThan(100);
    expect(await rulesBrokenBy('SELECT 1')).toEqual([]);
    await writer.pause();
    const { acknowledged } = writer.report();
    const rows = await query('SELECT count(*) AS n FROM audit.access');
    expect(await query('SELECT count(*) AS n FROM audit.access')).toEqual(rows);
    expect(writer.report().acknowledged).toBe(acknowledged);
    writer.resume();
    await expect.poll(() => writer.report().acknowledged, { timeout: 30_000 }).toBeGreaterThan(acknowledged);
    expect(await writer.stop()).toMatchObject({ failed: 0, errors: new Map() });
    expect(await rulesBrokenBy('SELECT 1')).toEqual([]);
  });

  test.each([
    ['orders-have-an-encounter', `UPDATE hospital.orders SET encounter_id = gen_random_uuid() WHERE id = 2`],
    [
      'encounters-have-a-patient',
      `UPDATE hospital.encounters SET patient_id = gen_random_uuid() WHERE id = (SELECT encounter_id FROM hospital.orders WHERE id = 1)`,
    ],
    [
      'prescriptions-match-their-order',
      `UPDATE hospital.prescriptions SET order_id = 99999999 WHERE id = (SELECT min(id) FROM hospital.prescriptions)`,
    ],
    ['results-have-an-order', `DELETE FROM hospital.orders WHERE id = 1`],
    [
      'appointments-do-not-overlap',
      `UPDATE hospital.appointments SET ends_at = ends_at + interval '30 days' WHERE id = (SELECT min(id) FROM hospital.appointments WHERE status <> 'cancelled')`,
    ],
    ['invoice-totals-are-the-sum-of-their-lines', `UPDATE billing.invoices SET total = total + 0.01 WHERE id = 1`],
    ['invoice-totals-are-the-sum-of-their-lines', `DELETE FROM billing.invoice_lines WHERE invoice_id = 1`],
    ['invoice-lines-have-an-invoice', `DELETE FROM billing.invoices WHERE id = 1`],
    [
      'payments-do-not-exceed-the-invoice',
      `UPDATE billing.payments SET amount = amount * 10 WHERE id = (SELECT id FROM billing.payments LIMIT 1)`,
    ],
    [
      'paid-invoices-are-paid',
      `DELETE FROM billing.payments WHERE invoice_id = (SELECT min(id) FROM billing.invoices WHERE status = 'paid')`,
    ],
    ['invoices-go-to-the-patient-treated', `UPDATE billing.invoices SET patient_id = gen_random_uuid() WHERE id = 1`],
  ])('%s notices when it is broken', async (rule, damage) => {
    expect(await rulesBrokenBy(damage)).toContain(rule);
  });
});

describe('what the regions store', () => {
  test('manifests are encrypted, immutable, and of their region', async () => {
    const manifests = labManifests(lab.regions);
    const id = RecoveryPointId.parse('cb-hms-daily-20261121t070000z');
    const bytes = new TextEncoder().encode('{"manifest": true}');
    expect(await manifests.get(primary, id)).toBeUndefined();
    await manifests.put(primary, id, bytes);
    await manifests.put(primary, id, bytes);
    expect(await manifests.get(primary, id)).toEqual(bytes);
    expect(await manifests.get(standby, id)).toBeUndefined();
    await expect(manifests.put(primary, id, new TextEncoder().encode('other'))).rejects.toMatchObject({ name: 'Conflict' });
    lab.regions.deny(primary);
    await expect(manifests.get(primary, id)).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    lab.regions.allow(primary);
  });

  test('signatures verify with the published key, and every signer of a region uses the same one', async () => {
    const proof = proofOf('2026-11-21T09:00:00.000Z');
    const { keyId, signature } = await labSigner(lab.regions).sign(proofBytes(proof));
    const signed = { proof, keyId, signature: Buffer.from(signature).toString('base64') };
    expect(isSignedBy(signed, await labSigner(lab.regions).publicKey())).toBe(true);
    expect(isSignedBy(signed, await labSigner(lab.regions, standby).publicKey())).toBe(false);

    const proofs = labProofs(lab.regions);
    await proofs.put(signed);
    await proofs.put(signed);
    expect(await proofs.get(proof.verificationId)).toEqual(signed);
    expect(await proofs.list(proof.databaseId, 10)).toEqual([signed]);
    await expect(proofs.put({ ...signed, keyId: 'other' })).rejects.toMatchObject({ name: 'Conflict' });
  });

  test('a locked copy cannot be removed before its time', async () => {
    const clock = manualClock(systemClock.now());
    const vault = labVault(lab.regions, clock, days(7));
    const id = RecoveryPointId.parse('cb-hms-daily-20261121t080000z');
    expect(await vault.lock({ region: primary, databaseId, recoveryPointId: id })).toBe(id);
    await vault.settled();
    expect(await vault.list(primary, databaseId)).toEqual([
      { copyId: id, createdAt: clock.now(), status: 'available', lockedUntil: new Date(clock.now().getTime() + 7 * 86_400_000) },
    ]);
    await clock.sleep(6.9 * 86_400_000);
    await expect(vault.remove(primary, id)).rejects.toMatchObject({ name: 'Locked' });
    await clock.sleep(0.2 * 86_400_000);
    await vault.remove(primary, id);
    expect(await vault.list(primary, databaseId)).toEqual([]);
  });
});
