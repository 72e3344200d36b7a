import { audited } from '../../../functions/audit/audited.ts';
import { seconds } from '../../../functions/common/duration.ts';
import { InvalidInput, ServiceUnavailable } from '../../../functions/common/errors.ts';
import type { FailbackRequest } from '../../../functions/failover/failback/models.ts';
import { failbackExecution, requestFailback } from '../../../functions/failover/failback/request-failback.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';

export const failbackPorts = ['auditLog', 'coordination', 'executions'] as const;
type FailbackSession = Session<(typeof failbackPorts)[number]>;

const poll = seconds(5);

/** @throws InvalidInput with the reason when there is nothing to fail back */
export async function planFailback(
  { ports, operations, clock }: FailbackSession,
  wanted: { readonly handOver: boolean; readonly reason: string; readonly requestedBy: string },
): Promise<FailbackRequest> {
  const planned = requestFailback({ operations, record: await ports.coordination.read(), now: clock.now(), ...wanted });
  if (planned.kind === 'request') return planned.request;
  throw new InvalidInput(planned.because, { hint: 'See what stands in the way: codeblue failover status' });
}

export const renderFailbackPlan = ({ failbackId, leader, oldRegion, handOver, reason }: FailbackRequest): string =>
  [
    handOver ? `Failback from ${leader} to ${oldRegion}` : `${oldRegion} becomes the replica of ${leader} again`,
    `  id      ${failbackId}`,
    `  reason  ${reason}`,
    '',
    'What happens',
    `  1. what only the old primary in ${oldRegion} has is listed by table and key, and exported`,
    '  2. a snapshot of it is kept',
    `  3. ${oldRegion} is rebuilt as a replica of ${leader}; the old instance is kept aside under another name`,
    '  4. the replica is proven equal, by the fingerprint of the backups',
    ...(handOver
      ? ['  5. the lead is handed over as a planned change: it loses nothing, wants an approval, and stops writes for as long as it takes']
      : [`  5. ${leader} goes on leading`]),
  ].join('\n');

/** Starts the machine in the Region that leads, and follows it. */
export async function startFailback(
  { ports, clock, region }: FailbackSession,
  request: FailbackRequest,
  operator: string,
  report: Report,
): Promise<{ readonly request: FailbackRequest; readonly status: 'succeeded' | 'failed' }> {
  const execution = failbackExecution(request);
  const act = {
    actor: `cli/${operator}`,
    action: 'request-failback',
    resource: request.failbackId,
    details: { leader: request.leader, oldRegion: request.oldRegion, handOver: request.handOver, reason: request.reason },
  };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.executions.start({ ...execution, input: { request } }));
  for (;;) {
    report(`${execution.name} runs in ${execution.region}; it goes on without this command`);
    const found = await ports.executions.describe(execution).catch((error: unknown) => {
      if (error instanceof ServiceUnavailable) return undefined; // looked for again
      throw error;
    });
    if (found && found.status !== 'running') return { request, status: found.status };
    await clock.sleep(poll * 1000);
  }
}

export const renderFailback = ({
  request,
  status,
}: {
  readonly request: FailbackRequest;
  readonly status: 'succeeded' | 'failed';
}): string =>
  status === 'succeeded'
    ? request.handOver
      ? `${request.oldRegion} leads again.`
      : `${request.oldRegion} is a proven replica of ${request.leader}.`
    : `${request.failbackId} stopped; ${request.leader} leads as before. Its report says where: see docs/runbooks/FailbackStuck.md`;
