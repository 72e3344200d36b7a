import { hours, minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { failbackExecution, requestFailback } from '../../failback/request-failback.ts';
import { candidateRegions } from '../../leadership/candidates.ts';
import { RecoveryRecord } from '../models.ts';
import { act, found, inPhase, notYet, wrong } from './recovery-step.ts';

/** Longer than the machine `failback` may run. */
const limit = hours(84);

const needs = ['coordination:read', 'executions:move'] as const;

/** The other Region's replica follows the damaged database under its new name: it is rebuilt from the copy. */
export const protectAfterRecovery = defineStep({
  name: 'protect-after-recovery',
  summary: 'Starts the failback that makes the other Region a replica of the recovered database.',
  timeout: minutes(1),
  needs,
  input: RecoveryRecord,
  async run(given, context) {
    const { coordination, executions, operations, clock } = context;
    const record = inPhase(given, 'protect', clock.now());
    const { request, plan, replacedAt } = record;
    if (!plan || !replacedAt) throw new InvalidInput('the record of the recovery says nothing of an exchange');
    if (candidateRegions(operations).every((each) => each === request.region)) {
      return found(record, 'protected', 'no other Region can lead: there is no replica to rebuild');
    }
    const current = await coordination.read();
    if (current?.holder !== request.region || current.epoch !== plan.epoch) {
      return wrong(record, 'unprotected', `somebody moved the lead after the exchange: epoch ${current?.epoch} is for ${current?.holder}`);
    }
    const requested = requestFailback({
      ...{ operations, record: current, handOver: false, requestedBy: request.requestedBy, now: new Date(replacedAt) },
      reason: `recovery ${request.recoveryId}: the other Region becomes a replica of the restored ${request.databaseId}`,
    });
    if (requested.kind === 'refused') return wrong(record, 'unprotected', requested.because);
    const { request: protection } = requested;
    await act(context, record, { action: 'start-failback', resource: protection.failbackId, details: { handOver: false } }, () =>
      executions.start({ ...failbackExecution(protection), input: { request: protection } }),
    );
    return { ...found(record, 'protecting', `${protection.failbackId} makes ${protection.oldRegion} a replica again`), protection };
  },
});

export const awaitRecoveryProtection = defineStep({
  name: 'await-recovery-protection',
  summary: 'Looks whether the other Region is a proven replica of the recovered database.',
  timeout: minutes(1),
  needs,
  input: RecoveryRecord,
  async run(record, { executions, clock }) {
    const { protection } = record;
    if (!protection) throw new InvalidInput('the record of the recovery has no failback to wait for');
    const { failbackId, oldRegion, leader } = protection;
    const status = (await executions.describe(failbackExecution(protection)))?.status;
    if (status === 'succeeded') return found(record, 'protected', `${oldRegion} is a proven replica of ${leader} again`);
    if (status === 'failed') return wrong(record, 'unprotected', `${failbackId} failed. See the runbook of FailbackStuck`);
    return notYet(record, 'protecting', `${failbackId} runs in ${leader}`, { now: clock.now(), limit, tooLong: 'unprotected' });
  },
});
