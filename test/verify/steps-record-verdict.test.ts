import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copiesToStart } from '../../functions/backup/advance-plan.ts';
import { isVerified, type Location, type RecoveryPoint } from '../../functions/backup/models.ts';
import { planRestore } from '../../functions/backup/restore-plan.ts';
import { days } from '../../functions/common/duration.ts';
import { Region, timestamp, VerificationId } from '../../functions/common/ids.ts';
import { withVerdict } from '../../functions/verify/inventory-verdict.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import { isSignedBy, type Proof } from '../../functions/verify/proof.ts';
import { pointsToVerify } from '../../functions/verify/start-verifications.ts';
import { recordVerdict } from '../../functions/verify/steps/record-verdict.ts';
import { newVerification } from '../../functions/verify/verification.ts';
import { watchedRun } from '../support/dying-run.ts';
import { type MemoryWorld, memoryWorld } from '../support/host.ts';
import { expectActsClosed, storePoint } from '../support/inventory.ts';
import { testOperations } from '../support/operations.ts';
import { proofOf } from '../support/proofs.ts';
import { aLocation, aRecoveryPoint, hms, home, standby } from '../support/recovery-points.ts';

const requestedAt = new Date('2026-11-21T07:00:00.000Z');
const third = Region.parse('eu-west-1');
const later = (minutes: number) => timestamp(new Date(requestedAt.getTime() + minutes * 60_000));
const root = (of: string) => of.repeat(64).slice(0, 64);

const bare = aRecoveryPoint(requestedAt);
const pointWith = (locations: readonly Location[]): RecoveryPoint => ({ ...bare, locations: [...locations] });
const both = pointWith([aLocation(bare.id), aLocation(bare.id, { region: standby, role: 'copy' })]);

const proofFor = (outcome: Proof['outcome'], region: Region, minutes: number, contentRoot: string | undefined = root('a')): Proof => {
  const { contentRoot: _, ...proof } = proofOf(later(minutes), {
    ...{ outcome, region, verificationId: VerificationId.parse(`cbv-${region}-${minutes}`) },
    target: { kind: 'recovery-point', recoveryPointId: bare.id, snapshotId: bare.id },
  });
  return contentRoot === undefined ? proof : { ...proof, contentRoot };
};
const judged = (point: RecoveryPoint, ...proofs: readonly Proof[]): RecoveryPoint =>
  proofs.reduce((line, proof) => withVerdict(line, proof, line.id, proof.finishedAt), point);
const at = (point: RecoveryPoint, region: Region) => point.locations.find((location) => location.region === region);

describe('the inventory line after a verdict', () => {
  it('is no longer verified once a later verification of the same snapshot refuses it', () => {
    const point = judged(both, proofFor('verified', home, 1), proofFor('refused', home, 2));
    expect(isVerified(point)).toBe(false);
    expect(at(point, home)?.verifiedAt).toBeUndefined();
    // Kept, because a refusal can have other causes than damage.
    expect(at(point, home)?.status).toBe('available');
  });

  it('stays verified by a copy that stands, and names the verification of that copy', () => {
    const point = judged(both, proofFor('verified', standby, 1), proofFor('verified', home, 2), proofFor('refused', home, 3));
    expect(point.verification).toEqual({ verificationId: 'cbv-us-west-2-1', outcome: 'verified', at: later(1) });
    expect(at(point, home)?.verdict?.outcome).toBe('refused');
  });

  it('offers no refused home snapshot as verified, and copies it nowhere', () => {
    const point = judged(both, proofFor('verified', standby, 1), proofFor('refused', home, 2));
    const [database] = testOperations().databases;
    if (!database) throw new TypeError('the test deployment has no database');
    const goal = { kind: 'point', recoveryPointId: point.id } as const;
    const plan = (region: Region) =>
      planRestore({ database, region, points: [point], live: undefined }, goal, new Date(later(60))).verification;
    expect([plan(home), plan(standby)]).toEqual(['refused', 'verified']);
    expect(copiesToStart([point], [third], new Date(later(60)), days(90))).toEqual([]);
  });

  it('gives up a refused copy while the home snapshot stands, so that a new copy is made', () => {
    const point = judged(both, proofFor('verified', home, 1), proofFor('refused', standby, 2));
    expect(isVerified(point)).toBe(true);
    expect(at(point, standby)?.status).toBe('failed');
    expect(copiesToStart([point], [standby], new Date(later(60)), days(90))).toHaveLength(1);
  });

  it('makes no new copy of one that had expired before it was refused', () => {
    const expired = pointWith([aLocation(bare.id), aLocation(bare.id, { region: standby, role: 'copy', status: 'removed' })]);
    const point = judged(expired, proofFor('verified', home, 1), proofFor('refused', standby, 2));
    expect(copiesToStart([point], [standby], new Date(later(60)), days(90))).toEqual([]);
  });

  it('takes a restore that "verified" other content for a refusal', () => {
    const point = judged(both, proofFor('verified', home, 1, root('a')), proofFor('verified', standby, 2, root('b')));
    expect(point.contentRoot).toBe(root('a'));
    expect(at(point, standby)?.verdict?.outcome).toBe('refused');
    expect(at(point, standby)?.verifiedAt).toBeUndefined();
  });

  it('still wants the home snapshot verified after a copy was', () => {
    const point = judged(both, proofFor('verified', standby, 1));
    expect(pointsToVerify([point], home)).toHaveLength(1);
    expect(pointsToVerify([judged(point, proofFor('refused', home, 2))], home)).toEqual([]);
  });

  it('is verified exactly while a location that is there was, under any history and in any order', () => {
    const regions = [home, standby, third] as const;
    const statuses = fc.tuple(
      ...regions.map(() => fc.constantFrom<Location['status']>('available', 'available', 'available', 'creating', 'failed', 'removed')),
    );
    const verdict = fc.record({
      region: fc.constantFrom(...regions),
      outcome: fc.constantFrom('verified', 'refused'),
      contentRoot: fc.constantFrom(root('a'), root('a'), root('a'), root('b'), undefined),
    });
    const history = fc.array(verdict, { minLength: 1, maxLength: 8 }).chain((verdicts) => {
      const proofs = verdicts.map((each, minute) => proofFor(each.outcome, each.region, minute, each.contentRoot));
      return fc.shuffledSubarray(proofs, { minLength: proofs.length });
    });
    fc.assert(
      fc.property(statuses, history, (given, arrivals) => {
        let line = pointWith(
          regions.map((region, i) => aLocation(bare.id, { region, role: i === 0 ? 'home' : 'copy', status: given[i] ?? 'failed' })),
        );
        let fixed: string | undefined;
        const newest = new Map<string, { readonly at: string; readonly good: boolean }>();
        for (const proof of arrivals) {
          line = withVerdict(line, proof, line.id, proof.finishedAt);
          const good = proof.outcome === 'verified' && (fixed === undefined || proof.contentRoot === fixed);
          if (good) fixed ??= proof.contentRoot;
          if (proof.finishedAt >= (newest.get(proof.region)?.at ?? '')) newest.set(proof.region, { at: proof.finishedAt, good });

          expect(line.contentRoot).toBe(fixed);
          for (const location of line.locations) {
            const own = newest.get(location.region);
            expect(location.verdict?.outcome).toBe(own && (own.good ? 'verified' : 'refused'));
            expect(location.verifiedAt).toBe(own?.good ? own.at : undefined);
          }
          const there = line.locations.filter(({ status, region }) => status === 'available' && newest.has(region));
          const newestFirst = [...newest.values()].sort((a, b) => b.at.localeCompare(a.at));
          const verified = there.length > 0 ? there.some(({ region }) => newest.get(region)?.good) : newestFirst[0]?.good;
          expect(isVerified(line)).toBe(verified);
          // A home snapshot is never taken out of the inventory by a verdict, and what is not there is not brought back by one.
          expect(line.locations[0]?.status).toBe(given[0]);
          for (const [i, { status }] of line.locations.entries()) expect([given[i], 'failed']).toContain(status);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

const passedChecks = [
  ...['integrity', 'restore', 'identity', 'window', 'schema', 'rows', 'content', 'foreign-keys', 'indexes', 'constraints', 'sequences'],
].map((id) => ({ id, says: id, result: 'passed' as const, findings: [] }));

const finished = (point: RecoveryPoint, change: Partial<VerificationRecord> = {}): VerificationRecord => ({
  ...newVerification({
    databaseId: hms,
    region: home,
    purpose: 'backup',
    target: { kind: 'recovery-point', recoveryPointId: point.id, snapshotId: point.id },
    now: requestedAt,
  }),
  checks: passedChecks,
  contentRoot: root('a'),
  measured: { restoreSeconds: 612, lossSeconds: 2 },
  teardown: { status: 'removed', requestedAt: later(20), removedAt: later(22) },
  ...change,
});

describe('record-verdict', () => {
  const worldWithPoint = async () => {
    const world = memoryWorld({ start: later(30) });
    return { world, point: await storePoint(world, requestedAt, { copied: true }) };
  };
  const record = async (world: MemoryWorld, input: VerificationRecord, ports = {}) =>
    VerificationRecord.parse(await world.step(recordVerdict, input, { ports: { ...world.ports, ...ports } }));

  it('signs a proof that anybody can check, and writes verdict and content root into the inventory', async () => {
    const { world, point } = await worldWithPoint();
    const { verdict, verificationId } = await record(world, finished(point));
    const signed = await world.ports.proofs.get(verificationId);
    expect(verdict).toBe('verified');
    expect(signed && isSignedBy(signed, await world.ports.signer.publicKey())).toBe(true);
    expect(signed?.proof).toMatchObject({ outcome: 'verified', manifestSha256: point.manifestSha256, contentRoot: root('a') });
    const line = await world.ports.recoveryPoints.get(point.id);
    expect(line).toMatchObject({ contentRoot: root('a'), verification: { verificationId, outcome: 'verified' } });
    expect(world.ports.metrics.latest('RestoreSeconds', { Database: 'hms' })).toBe(612);
  });

  it('refuses what failed anywhere, counts it, and fixes no content root by it', async () => {
    const { world, point } = await worldWithPoint();
    const { verdict } = await record(world, finished(point, { failure: { Error: 'RestoreTimedOut' } }));
    expect(verdict).toBe('refused');
    const line = await world.ports.recoveryPoints.get(point.id);
    expect(line?.verification?.outcome).toBe('refused');
    expect(line?.contentRoot).toBeUndefined();
    expect(world.ports.metrics.latest('VerificationsRefused') ?? world.ports.metrics.recorded.find(({ value }) => value === 1)?.value).toBe(
      1,
    );
  });

  it('gives one proof and one verdict, wherever it dies and however often it is repeated', async () => {
    const death = fc.record({ call: fc.integer({ min: 1, max: 15 }), when: fc.constantFrom('before', 'after') });
    await fc.assert(
      fc.asyncProperty(fc.array(death, { maxLength: 3 }), fc.boolean(), async (deaths, good) => {
        const { world, point } = await worldWithPoint();
        const input = finished(point, good ? {} : { failure: { Error: 'BackupDamaged' } });
        const proofs = [];
        let died = 0;
        for (const each of deaths) {
          const watched = watchedRun(world.ports, { death: each });
          await world.step(recordVerdict, input, { ports: watched.ports }).catch(() => {});
          died += Number(watched.died());
          const proof = await world.ports.proofs.get(input.verificationId);
          if (proof) proofs.push(proof);
          world.clock.advance(60);
        }
        await record(world, input);
        proofs.push(await world.ports.proofs.get(input.verificationId));

        for (const proof of proofs) expect(proof).toEqual(proofs[0]);
        expect(await world.ports.proofs.list(hms, 10)).toHaveLength(1);
        const line = await world.ports.recoveryPoints.get(point.id);
        expect(line?.verification).toMatchObject({ outcome: good ? 'verified' : 'refused', at: proofs[0]?.proof.finishedAt });
        await expectActsClosed(world, died);
      }),
      { numRuns: 100 },
    );
  });

  it('writes its verdict down although the inventory line changes under it', async () => {
    const { world, point } = await worldWithPoint();
    let races = 3;
    const recoveryPoints = {
      ...world.ports.recoveryPoints,
      async update(line: RecoveryPoint) {
        const current = races-- > 0 ? await world.ports.recoveryPoints.get(line.id) : undefined;
        if (current) await world.ports.recoveryPoints.update(current);
        return world.ports.recoveryPoints.update(line);
      },
    };
    await record(world, finished(point), { recoveryPoints });
    expect((await world.ports.recoveryPoints.get(point.id))?.verification?.outcome).toBe('verified');
  });

  it('refuses a restore whose content another verification has contradicted meanwhile, and says so in the proof', async () => {
    const { world, point } = await worldWithPoint();
    await record(world, finished(point));
    const away = {
      ...newVerification({ databaseId: hms, region: standby, purpose: 'second-region', target: finished(point).target, now: requestedAt }),
    };
    const { verdict, checks } = await record(world, {
      ...finished(point),
      ...away,
      checks: passedChecks,
      measured: {},
      contentRoot: root('b'),
    });
    expect(verdict).toBe('refused');
    expect(checks.filter(({ result }) => result === 'failed').map(({ id }) => id)).toEqual(['content-root']);
  });

  it('records the proof of a point that has left the inventory, and of a restore to a second', async () => {
    const { world } = await worldWithPoint();
    const gone = aRecoveryPoint(new Date('2026-01-01T07:00:00Z'));
    expect((await record(world, finished(gone))).verdict).toBe('verified');
    const pointInTime = newVerification({
      databaseId: hms,
      region: home,
      purpose: 'point-in-time',
      target: { kind: 'point-in-time', time: later(1) },
      now: requestedAt,
    });
    expect((await record(world, { ...finished(gone), ...pointInTime, checks: passedChecks })).verdict).toBe('verified');
    expect(await world.ports.proofs.list(hms, 10)).toHaveLength(2);
  });
});
