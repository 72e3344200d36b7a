import { beforeAll, describe, expect, it } from 'vitest';
import { RecoveryPointId, Region, timestamp } from '../../functions/common/ids.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import { newVerification, verdictOf } from '../../functions/verify/verification.ts';
import { runMachine } from '../../lab/machine-runner.ts';
import { type SynthesizedMachine, synthesizedMachines } from '../../lib/synthesized.ts';
import { testOperations } from '../support/operations.ts';
import { hms } from '../support/recovery-points.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const pointId = RecoveryPointId.parse('cb-hms-daily-20261121t070000z');
const passing = [
  'integrity',
  'restore',
  'identity',
  'window',
  'schema',
  'rows',
  'content',
  'foreign-keys',
  'indexes',
  'constraints',
  'sequences',
].map((id) => ({
  id,
  says: id,
  result: 'passed' as const,
  findings: [],
}));

/** Steps that do as the real ones do to the record, in a world where all goes well. Only the verdict is the real decision. */
const world: Readonly<Record<string, (record: VerificationRecord) => VerificationRecord>> = {
  'pick-recovery-point': (record) => record,
  'check-integrity': (record) => record,
  'start-restore': (record) => ({ ...record, restoredId: record.verificationId, restoreStatus: 'creating' }),
  'await-restore': (record) => ({ ...record, restoreStatus: 'available' }),
  'compare-content': (record) => ({ ...record, checks: passing }),
  'start-teardown': (record) => ({ ...record, teardown: { status: 'removing', requestedAt: timestamp(now) } }),
  'await-teardown': (record) => ({ ...record, teardown: { status: 'removed', requestedAt: timestamp(now), removedAt: timestamp(now) } }),
  'record-verdict': (record) => {
    const { verdict, checks } = verdictOf(record);
    return { ...record, verdict, checks: [...checks] };
  },
};

class Broken extends Error {
  override readonly name = 'Broken';
}

describe('the machine verify-recovery-point, as synthesized', () => {
  let machine: SynthesizedMachine;
  beforeAll(() => {
    const found = synthesizedMachines(testOperations()).find((each) => each.name === 'verify-recovery-point');
    if (!found) throw new Error('no machine');
    machine = found;
  });

  /** Runs it with some steps replaced; tells which steps ran, and how it ended. */
  async function execute(replaced: Readonly<Record<string, (record: VerificationRecord, call: number) => VerificationRecord>> = {}) {
    const ran: string[] = [];
    const verdicts: (string | undefined)[] = [];
    const input = newVerification({
      databaseId: hms,
      region: Region.parse('us-east-1'),
      purpose: 'backup',
      target: { kind: 'recovery-point', recoveryPointId: pointId, snapshotId: pointId },
      now,
    });
    const output = runMachine({
      machine,
      input,
      pauseMilliseconds: 0,
      invoke: async (operation, raw) => {
        ran.push(operation);
        const record = VerificationRecord.parse(raw);
        const step = replaced[operation] ?? world[operation];
        if (!step) throw new Error(`no step ${operation}`);
        const result = step(record, ran.filter((each) => each === operation).length);
        if (operation === 'record-verdict') verdicts.push(result.verdict);
        return result;
      },
    });
    const ended = await output.then(
      () => 'succeeded' as const,
      (error: Error) => error.name,
    );
    return { ended, ran, verdicts };
  }

  it('succeeds when every step does', async () => {
    const { ended, ran } = await execute();
    expect(ended).toBe('succeeded');
    expect(ran).toEqual(Object.keys(world));
  });

  it('comes back until the restored database is up, and until it is gone', async () => {
    const { ended, ran } = await execute({
      'await-restore': (record, call) => ({ ...record, restoreStatus: call < 4 ? 'creating' : 'available' }),
      'await-teardown': (record, call) => (call < 3 ? record : (world['await-teardown']?.(record) ?? record)),
    });
    expect(ended).toBe('succeeded');
    expect(ran.filter((step) => step === 'await-restore')).toHaveLength(4);
    expect(ran.filter((step) => step === 'await-teardown')).toHaveLength(3);
  });

  it.each(['pick-recovery-point', 'check-integrity', 'start-restore', 'await-restore', 'compare-content'])(
    'tears down, records a refusal and fails when "%s" breaks',
    async (step) => {
      const { ended, ran, verdicts } = await execute({
        [step]: () => {
          throw new Broken('it broke');
        },
      });
      expect(ended).not.toBe('succeeded');
      expect(ran.slice(ran.lastIndexOf(step) + 1)).toEqual(['start-teardown', 'await-teardown', 'record-verdict']);
      expect(verdicts).toEqual(['refused']);
    },
  );

  it.each(['start-teardown', 'await-teardown'])('records a refusal and fails when "%s" breaks for good', async (step) => {
    const { ended, verdicts } = await execute({
      [step]: () => {
        throw new Broken('it broke');
      },
    });
    expect(ended).not.toBe('succeeded');
    expect(verdicts).toEqual(['refused']);
  });

  it('fails when the verdict cannot be recorded', async () => {
    const { ended } = await execute({
      'record-verdict': () => {
        throw new Broken('it broke');
      },
    });
    expect(ended).not.toBe('succeeded');
  });

  it('fails when the content is refused', async () => {
    const { ended, verdicts } = await execute({
      'compare-content': (record) => ({
        ...record,
        checks: passing.map((check) => (check.id === 'content' ? { ...check, result: 'failed' } : check)),
      }),
    });
    expect(ended).not.toBe('succeeded');
    expect(verdicts).toEqual(['refused']);
  });

  it('does not succeed on a record that calls itself verified after a failure', async () => {
    const { ended } = await execute({
      'compare-content': () => {
        throw new Broken('it broke');
      },
      'record-verdict': (record) => ({ ...record, verdict: 'verified' }),
    });
    expect(ended).not.toBe('succeeded');
  });

  it('tries again what may pass', async () => {
    class ServiceUnavailable extends Error {
      override readonly name = 'ServiceUnavailable';
    }
    const { ended, ran } = await execute({
      'start-restore': (record, call) => {
        if (call < 3) throw new ServiceUnavailable('throttled');
        return world['start-restore']?.(record) ?? record;
      },
    });
    expect(ended).toBe('succeeded');
    expect(ran.filter((step) => step === 'start-restore')).toHaveLength(3);
  });
});
