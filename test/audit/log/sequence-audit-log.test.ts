import { describe, expect, it } from 'vitest';
import { sequenceAuditLog } from '../../../functions/audit/log/sequence-audit-log.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { silentLogger } from '../../../functions/common/logger.ts';
import { runTask } from '../../../functions/handlers/run-operation.ts';
import { tasks } from '../../../functions/tasks.ts';
import { anEvent, eventIdOf } from '../../support/audit-events.ts';
import { memoryWorld } from '../../support/host.ts';
import { testOperations } from '../../support/operations.ts';
import { testWitness } from '../../support/witness.ts';

describe('the task sequence-audit-log', () => {
  it('is in the registry, runs in every Region each minute, and is not run late', () => {
    expect(tasks).toContain(sequenceAuditLog);
    const { runsIn, catchUp } = sequenceAuditLog;
    expect({ runsIn, catchUp }).toEqual({ runsIn: 'every', catchUp: false });
  });

  it('looks each half second, takes what came meanwhile, and ends before its deadline', async () => {
    const world = memoryWorld();
    const { auditEvents, auditQueue, metrics } = world.ports;
    await auditEvents.record(anEvent(1, { recordedAt: world.clock.now().toISOString() }));
    const began = world.clock.now().getTime();
    const late = { ...world.ports.auditHead };
    let reads = 0;
    const auditHead: typeof late = {
      ...late,
      read: async () => {
        if (++reads === 100) await auditEvents.record(anEvent(2, { recordedAt: world.clock.now().toISOString() }));
        return late.read();
      },
    };
    const result = await world.pass(sequenceAuditLog, { ports: { ...world.ports, auditHead } });
    expect(result).toMatchObject({ result: { events: 2, failures: 0, passes: 260 } });
    expect((world.clock.now().getTime() - began) / 1000).toBeLessThan(sequenceAuditLog.timeout);
    expect(await auditQueue.place(eventIdOf(2))).toEqual({ generation: 1, index: 1 });
    const told = (name: string) => metrics.recorded.filter((metric) => metric.name === name).map(({ value }) => value);
    expect(told('EventsIntegrated')).toEqual([1, 1]);
    expect(told('IntegrationSeconds')).toEqual([0, 0]);
    expect(told('SequencingFailed')).toEqual([0]);
  });

  it('goes on after a pass that failed, and says so', async () => {
    const world = memoryWorld();
    await world.ports.auditEvents.record(anEvent(1));
    let failures = 3;
    const auditObjects: typeof world.ports.auditObjects = {
      ...world.ports.auditObjects,
      publishCheckpoint: async (...checkpoint) => {
        if (failures-- > 0) throw new ServiceUnavailable('throttled');
        return world.ports.auditObjects.publishCheckpoint(...checkpoint);
      },
    };
    expect(await world.pass(sequenceAuditLog, { ports: { ...world.ports, auditObjects } })).toMatchObject({
      result: { events: 1, failures: 3 },
    });
    const failed = world.ports.metrics.recorded.filter(({ name }) => name === 'SequencingFailed').map(({ value }) => value);
    expect(failed).toEqual([1, 1, 1]);
  });

  it('counts a witness that does not cosign, and writes down why, although the checkpoint is published without it', async () => {
    const operations = testOperations();
    const use = [
      {
        url: 'https://silent.example',
        verifierKey: testWitness({ name: 'silent.example', logs: new Map(), now: () => new Date() }).verifierKey,
      },
    ];
    const world = memoryWorld({ operations: { ...operations, audit: { ...operations.audit, witnesses: { use, quorum: 0 } } } });
    await world.ports.auditEvents.record(anEvent(1));
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (message: string, facts?: object) => void warnings.push(`${message} ${JSON.stringify(facts)}`) };
    const occurrence = { key: 'pass', scheduledAt: world.clock.now().toISOString() };
    const deadline = new Date(world.clock.now().getTime() + 60_000);
    await runTask(sequenceAuditLog, occurrence, { ...world.hostAt({}), log }, deadline);
    expect(world.ports.metrics.recorded.filter(({ name }) => name === 'CosignaturesLate').map(({ value }) => value)).toEqual([1]);
    expect(warnings).toEqual([expect.stringContaining('silent.example: the witness at https://silent.example does not answer')]);
  });

  it('fails when no pass succeeds', async () => {
    const world = memoryWorld();
    const auditHead: typeof world.ports.auditHead = {
      ...world.ports.auditHead,
      read: () => Promise.reject(new ServiceUnavailable('no table')),
    };
    await expect(world.pass(sequenceAuditLog, { ports: { ...world.ports, auditHead } })).rejects.toThrow('no table');
  });
});
