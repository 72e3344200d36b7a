import { describe, expect, it } from 'vitest';
import { audited } from '../../functions/audit/audited.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { memoryWorld } from '../support/host.ts';
import { home } from '../support/recovery-points.ts';

const act = { actor: 'task/test', action: 'remove-snapshot', resource: 'us-east-1/cb-one', details: { reason: 'old' } };

/** An act in a world whose audit log refuses the phases that `refusing` names. */
function auditedWorld(refusing: readonly string[] = []) {
  const { ports, clock } = memoryWorld();
  const auditLog: typeof ports.auditLog = {
    ...ports.auditLog,
    record: (event) =>
      refusing.includes(event.phase) ? Promise.reject(new ServiceUnavailable('the audit log is down')) : ports.auditLog.record(event),
  };
  let done = 0;
  const perform = async () => {
    clock.advance(5);
    return ++done;
  };
  return {
    carryOut: (work: () => Promise<unknown> = perform) => audited({ auditLog, clock, region: home }, act, work),
    events: async () => (await ports.auditLog.recent(new Date(0), 100)).toReversed(),
    done: () => done,
    clock,
  };
}

describe('an audited act', () => {
  it('has its intent on record before it begins and its outcome after it', async () => {
    const { carryOut, events } = auditedWorld();
    const during: string[] = [];
    const result = await carryOut(async () => {
      during.push(...(await events()).map(({ phase, outcome }) => `${phase} ${outcome}`));
      return 'removed';
    });
    expect(result).toBe('removed');
    expect(during).toEqual(['intent pending']);
    expect((await events()).map(({ phase, outcome }) => `${phase} ${outcome}`).sort()).toEqual(['intent pending', 'outcome success']);
    expect(await events()).toEqual(expect.arrayContaining([expect.objectContaining({ ...act, region: 'us-east-1' })]));
  });

  it('keeps one name for intent and outcome, and another for the same act done again', async () => {
    const { carryOut, events } = auditedWorld();
    await carryOut();
    await carryOut();
    const ids = (await events()).map(({ actId }) => actId);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(2);
  });

  it('is not done when its intent cannot be recorded', async () => {
    const { carryOut, done } = auditedWorld(['intent']);
    await expect(carryOut()).rejects.toThrow('the audit log is down');
    expect(done()).toBe(0);
  });

  it('that fails leaves its reason on record, and fails with it', async () => {
    const { carryOut, events } = auditedWorld();
    const refuse = () => Promise.reject(new ServiceUnavailable('throttled'));
    await expect(carryOut(refuse)).rejects.toThrow('throttled');
    expect((await events()).find(({ phase }) => phase === 'outcome')).toMatchObject({
      outcome: 'failure',
      details: { reason: 'old', error: 'throttled' },
    });
  });

  it('fails when its outcome cannot be recorded, so that the caller tries again', async () => {
    const { carryOut, done } = auditedWorld(['outcome']);
    await expect(carryOut()).rejects.toMatchObject({ name: 'ServiceUnavailable', retryable: true });
    expect(done()).toBe(1);
  });

  it('that fails while the audit log fails too is tried again, so that its failure gets on record', async () => {
    const { carryOut } = auditedWorld(['outcome']);
    const refuse = () => Promise.reject(new TypeError('no such snapshot'));
    await expect(carryOut(refuse)).rejects.toMatchObject({ name: 'ServiceUnavailable', retryable: true });
  });
});
