import { hours, minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import type { FailbackRequest } from '../../failback/models.ts';
import { failbackExecution, requestFailback } from '../../failback/request-failback.ts';
import { FullTestRecord } from '../full-test-models.ts';
import { act, found, inPhase, notYet, wrong } from './full-test-step.ts';

/** Longer than the machine `failback` may run. */
const failbackLimit = hours(84);

const returnNeeds = ['coordination:read', 'executions:move'] as const;
type Context = PortsFor<(typeof returnNeeds)[number]> & TaskContext;

/** Asks for the failback that hands the lead over again. */
export const returnFromFullTest = defineStep({
  name: 'return-from-full-test',
  summary: 'Starts the failback that gives the lead back after the test.',
  timeout: minutes(1),
  needs: returnNeeds,
  input: FullTestRecord,
  async run(record, context) {
    const { region } = record.request;
    const current = await context.coordination.read();
    if (record.plan === undefined || current?.holder !== region || current.phase !== 'active') {
      return wrong(record, 'stopped', `${region} does not lead, so there is no lead to give back`);
    }
    const back = record.back ?? (await asked(record, context, { handOver: true, since: record.movedAt }));
    if (typeof back === 'string') return wrong(record, 'stopped', back);
    await start(record, back, context);
    return found({ ...inPhase(record, 'go back', context.clock.now()), back }, 'returning', `${back.failbackId} gives the lead back`);
  },
});

/** Asks for the failback without a hand-over, in the Region that leads again: this one becomes its replica. */
export const protectAfterFullTest = defineStep({
  name: 'protect-after-full-test',
  summary: 'Makes the Region that led for the test a replica again.',
  timeout: minutes(1),
  needs: returnNeeds,
  input: FullTestRecord,
  async run(record, context) {
    const protection = record.protection ?? (await asked(record, context, { handOver: false, since: record.returnedAt }));
    if (typeof protection === 'string') return wrong(record, 'stopped', protection);
    await start(record, protection, context);
    const next = { ...inPhase(record, 'rebuild', context.clock.now()), protection };
    return found(next, 'protecting', `${protection.failbackId} makes ${protection.oldRegion} a replica again`);
  },
});

/** The failback's id follows from when this test came so far: asked again, it is the same one. */
async function asked(
  { request }: FullTestRecord,
  { coordination, operations, clock }: Context,
  { handOver, since }: { readonly handOver: boolean; readonly since: string | undefined },
): Promise<FailbackRequest | string> {
  const requested = requestFailback({
    ...{ operations, record: await coordination.read(), handOver, requestedBy: request.requestedBy },
    reason: `full test ${request.testId}: ${handOver ? 'the lead goes back' : 'the Region that led for it becomes a replica again'}`,
    now: since ? new Date(since) : clock.now(),
  });
  return requested.kind === 'request' ? requested.request : requested.because;
}

const start = (record: FullTestRecord, failback: FailbackRequest, context: Context): Promise<void> =>
  act(context, record, { action: 'start-failback', resource: failback.failbackId, details: { handOver: failback.handOver } }, () =>
    context.executions.start({ ...failbackExecution(failback), input: { request: failback } }),
  );

/** One look at the failback that runs now: the one that gives the lead back, or the one that rebuilds this Region. */
const awaiting = (name: string, summary: string, which: 'back' | 'protection') =>
  defineStep({
    name,
    summary,
    timeout: minutes(1),
    needs: returnNeeds,
    input: FullTestRecord,
    async run(record, { coordination, executions, clock }) {
      const failback = record[which];
      if (!failback) throw new InvalidInput(`the record of the full test has no failback (${which}) to wait for`);
      const now = clock.now();
      const status = (await executions.describe(failbackExecution(failback)))?.status;
      if (status === 'running') {
        const waiting = which === 'back' ? 'returning' : 'protecting';
        return notYet(record, waiting, `${failback.failbackId} runs in ${failback.leader}`, { now, limit: failbackLimit });
      }
      const { leader, region } = record.request;
      const holder = (await coordination.read())?.holder;
      if (status !== 'succeeded' || holder !== leader) {
        return wrong(
          record,
          'stopped',
          `${failback.failbackId} ${status ?? 'is not there'}: ${holder ?? 'nobody'} leads. See the runbook of FailbackStuck`,
        );
      }
      if (which === 'protection') return found(record, 'protected', `${region} is a proven replica of ${leader} again`);
      return { ...found(record, 'returned', `${leader} leads again`), returnedAt: record.returnedAt ?? timestamp(now) };
    },
  });

export const awaitFullTestReturn = awaiting('await-full-test-return', 'Looks whether the lead is back after the test.', 'back');
export const awaitFullTestProtection = awaiting(
  'await-full-test-protection',
  'Looks whether the Region that led for the test is a replica again.',
  'protection',
);
