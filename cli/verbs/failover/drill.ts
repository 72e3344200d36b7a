import { audited } from '../../../functions/audit/audited.ts';
import { seconds } from '../../../functions/common/duration.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import type { FullTestRequest } from '../../../functions/failover/drill/full-test-models.ts';
import type { RehearsalRequest } from '../../../functions/failover/drill/models.ts';
import { fullTestExecution, requestFullTest } from '../../../functions/failover/drill/request-full-test.ts';
import { rehearsalExecution, requestRehearsal } from '../../../functions/failover/drill/request-rehearsal.ts';
import type { ExecutionRef } from '../../../functions/maintenance/ports.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';

export const drillPorts = ['auditLog', 'coordination', 'executions'] as const;
type DrillSession = Session<(typeof drillPorts)[number]>;

/** A drill that could begin now. Nothing here has been done. */
export interface PlannedDrill {
  readonly kind: 'rehearsal' | 'full test';
  readonly request: RehearsalRequest | FullTestRequest;
  readonly execution: ExecutionRef;
}

const poll = seconds(5);

/** @throws InvalidInput with the reason when there can be no drill now */
export async function planDrill(
  { ports, operations, clock }: DrillSession,
  { full, outsideWindows, requestedBy }: { readonly full: boolean; readonly outsideWindows: boolean; readonly requestedBy: string },
): Promise<PlannedDrill> {
  const wanted = { operations, record: await ports.coordination.read(), now: clock.now(), anytime: outsideWindows, requestedBy };
  const hint = 'See how things stand: codeblue failover status. Outside of the change windows of the config: --outside-windows';
  if (full) {
    const planned = requestFullTest(wanted);
    if (planned.kind === 'refused') throw new InvalidInput(planned.because, { hint });
    return { kind: 'full test', request: planned.request, execution: fullTestExecution(planned.request) };
  }
  const planned = requestRehearsal(wanted);
  if (planned.kind === 'refused') throw new InvalidInput(planned.because, { hint });
  return { kind: 'rehearsal', request: planned.request, execution: rehearsalExecution(planned.request) };
}

const steps = {
  rehearsal: ({ leader, region }: PlannedDrill['request']) => [
    `1. temporary replicas of the databases of ${leader} are made in ${region}, beside the real ones`,
    '2. they are promoted and written to, behind a group that only Codeblue passes; what had not arrived is counted',
    '3. they are removed, and the figures are held against the objectives and against earlier drills',
    `${leader} leads all the while. When anything live degrades, the rehearsal ends by itself.`,
  ],
  'full test': ({ leader, region }: PlannedDrill['request']) => [
    `1. the lead moves to ${region} as a planned change: writes stop for as long as it takes, and somebody else must approve it`,
    `2. ${region} leads for ten minutes and is watched; when it does not do well the lead goes back at once`,
    `3. ${leader} is rebuilt, proven equal, and leads again: writes stop a second time. That takes hours for a large database`,
    `4. ${region} becomes a replica again`,
  ],
} as const;

export const renderPlannedDrill = ({ kind, request, execution }: PlannedDrill): string =>
  [
    `A ${kind} of a failover from ${request.leader} to ${request.region}`,
    `  id      ${execution.name}`,
    '',
    'What happens',
    ...steps[kind](request).map((line) => `  ${line}`),
  ].join('\n');

export interface DrillOutcome {
  readonly kind: PlannedDrill['kind'];
  readonly execution: ExecutionRef;
  readonly status: 'succeeded' | 'failed';
}

/** Starts the machine in the Region that would take over, and follows it to its end. It goes on without whoever follows it. */
export async function startDrill(
  { ports, clock, region }: DrillSession,
  { kind, request, execution }: PlannedDrill,
  operator: string,
  report: Report,
): Promise<DrillOutcome> {
  const act = {
    actor: `cli/${operator}`,
    action: kind === 'rehearsal' ? 'start-rehearsal' : 'start-full-test',
    resource: execution.name,
    details: { epoch: request.epoch, leader: request.leader },
  };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.executions.start({ ...execution, input: { request } }));
  for (;;) {
    report(`${execution.name} runs in ${execution.region}; it goes on without this command`);
    const found = await ports.executions.describe(execution);
    if (found && found.status !== 'running') return { kind, execution, status: found.status };
    await clock.sleep(poll * 1000);
  }
}

export const renderDrillOutcome = ({ kind, execution, status }: DrillOutcome): string => {
  const place = `drills/${execution.name}.html in the evidence bucket of ${execution.region}`;
  return status === 'succeeded' ? `The ${kind} passed. Its report: ${place}` : `The ${kind} did not pass. Its report says why: ${place}`;
};
