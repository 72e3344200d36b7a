import { audited } from '../../../functions/audit/audited.ts';
import { formatSeconds, seconds, secondsBetween } from '../../../functions/common/duration.ts';
import { InvalidInput, NotFound } from '../../../functions/common/errors.ts';
import { databaseOf } from '../../../functions/common/operations-lookup.ts';
import { principalOf } from '../../../functions/failover/approval/principal.ts';
import { chooseCleanState, type RestorableState } from '../../../functions/failover/recovery/clean-state.ts';
import type { CleanState, RecoveryRequest } from '../../../functions/failover/recovery/models.ts';
import { recoveryStem } from '../../../functions/failover/recovery/recovery-report.ts';
import { recoveryExecution, requestRecovery } from '../../../functions/failover/recovery/request-recovery.ts';
import type { ExecutionRef } from '../../../functions/maintenance/ports.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';
import { openQuestions } from './status.ts';

export const recoverPorts = ['auditLog', 'coordination', 'databases', 'executions', 'recoveryPoints'] as const;
type RecoverSession = Session<(typeof recoverPorts)[number]>;

/** A recovery that could begin now. Nothing here has been done. */
export interface PlannedRecovery {
  readonly request: RecoveryRequest;
  readonly execution: ExecutionRef;
  /** What would be restored, as things are now. */
  readonly clean: CleanState;
  /** Everything that was committed for so long is lost, and what is committed until the exchange. */
  readonly lossSeconds: number;
  readonly objectiveSeconds: number;
  /** The log is stored late: it does not reach that second yet, and is waited for. */
  readonly waitsForLog?: string;
  /** Who may approve the exchange: whoever asks for it may not. */
  readonly approvers: readonly string[];
}

const poll = seconds(5);

/** @throws InvalidInput with the reason when there can be no recovery now, or nothing clean can be restored */
export async function planRecovery(
  session: RecoverSession,
  wanted: { readonly database: string; readonly until: Date; readonly reason: string; readonly requestedBy: string },
): Promise<PlannedRecovery> {
  const { ports, operations, clock } = session;
  const { until, reason, requestedBy } = wanted;
  const database = databaseOf(operations, wanted.database);
  const [record, hold, now] = [await ports.coordination.read(), await ports.coordination.hold(), clock.now()];
  const requested = requestRecovery({ operations, record, hold, databaseId: database.id, until, requestedBy, reason, now });
  if (requested.kind === 'refused') throw new InvalidInput(requested.because, { hint: 'See how things stand: codeblue failover status.' });
  const { request } = requested;
  const state = await restorableState(session, request);
  const [chosen, patient] = [chooseCleanState(state, 'now'), chooseCleanState(state, 'wait')];
  if (chosen.kind !== 'chosen') {
    const because = chosen.kind === 'none' ? chosen.because : chosen.says;
    throw new InvalidInput(because, { hint: `codeblue backup list --database ${database.id} shows what there is. Try a later --to.` });
  }
  const clean: CleanState = patient.kind === 'wait' ? { ...chosen.state, restoredTo: request.until } : chosen.state;
  return {
    ...{ request, clean, execution: recoveryExecution(request), objectiveSeconds: database.objectives.rto },
    lossSeconds: secondsBetween(new Date(clean.restoredTo), now),
    ...(patient.kind === 'wait' ? { waitsForLog: patient.says } : {}),
    approvers: operations.failover.approvals.by.filter((each) => principalOf(each) !== principalOf(requestedBy)),
  };
}

async function restorableState({ ports }: RecoverSession, { databaseId, region, until }: RecoveryRequest): Promise<RestorableState> {
  const points = await ports.recoveryPoints.list(databaseId);
  const live = await ports.databases.describe(databaseId, region).catch((error: unknown) => {
    if (error instanceof NotFound) return undefined;
    throw error;
  });
  return { region, points, live, until: new Date(until) };
}

export function renderPlannedRecovery(planned: PlannedRecovery): string {
  const { request, execution, clean, lossSeconds, waitsForLog, approvers, objectiveSeconds } = planned;
  const { databaseId, region, until } = request;
  const source =
    clean.method === 'transaction-log'
      ? `snapshot and transaction log; newest proven backup before it: ${clean.provenBefore ?? 'none'}`
      : `backup ${clean.recoveryPointId} (verified), because the log does not reach that far back`;
  return [
    `Recovery of ${databaseId} in ${region}`,
    `  id            ${execution.name}`,
    `  asked for     ${until}`,
    `  from          ${source}`,
    `  shows         ${clean.restoredTo}`,
    ...(waitsForLog === undefined ? [] : [`                ${waitsForLog}: it is waited for`]),
    `  lost          everything committed after it: ${formatSeconds(lossSeconds)} by now, and what is committed until the exchange`,
    `  objective     ${formatSeconds(objectiveSeconds)} until the copy leads`,
    `  must approve  ${approvers.length > 0 ? `one of ${approvers.join(', ')}` : 'somebody besides you, and failover.approvals.by lists nobody else'}`,
    '',
    'What happens',
    '  1. automatic moves are held, and the damaged database is kept as an emergency backup',
    '  2. that state is restored beside it and inspected: schema, every row, foreign keys, indexes, constraints, sequences, invariants',
    '  3. the copy is made fit; until then the live database goes on as it is. Stop the application: what it writes now is lost',
    `  4. somebody approves; every database of ${region} is closed for minutes, the copy gets the name, the damaged one is kept beside it`,
    '  5. the other Region becomes a replica of the copy: hours for a large database, without an outage',
    'Refused, or not sound: the copy is removed and the live database is as it was.',
  ].join('\n');
}

export interface RecoveryOutcome {
  readonly request: RecoveryRequest;
  readonly execution: ExecutionRef;
  readonly status: 'succeeded' | 'failed';
}

/** Starts the machine in the Region that leads, and follows it to its end. It goes on without whoever follows it. */
export async function startRecovery(
  session: RecoverSession,
  { request, execution }: PlannedRecovery,
  operator: string,
  report: Report,
): Promise<RecoveryOutcome> {
  const { ports, clock, region } = session;
  const { databaseId, until, reason } = request;
  const act = { actor: `cli/${operator}`, action: 'request-recovery', resource: execution.name, details: { databaseId, until, reason } };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.executions.start({ ...execution, input: { request } }));
  for (;;) {
    report(await stageOf(session, request));
    const found = await ports.executions.describe(execution);
    if (found && found.status !== 'running') return { request, execution, status: found.status };
    await clock.sleep(poll * 1000);
  }
}

async function stageOf(session: RecoverSession, { recoveryId, region }: RecoveryRequest): Promise<string> {
  const open = (await openQuestions(session)).find(({ question }) => question.plan.reason.startsWith(`recovery ${recoveryId}:`));
  if (open) return `the exchange waits for somebody else: codeblue failover approve ${open.hash.slice(0, 16)}`;
  return `${recoveryId} runs in ${region}; it goes on without this command`;
}

export function renderRecoveryOutcome({ request, execution, status }: RecoveryOutcome): string {
  const place = `${recoveryStem(request)}.html in the evidence bucket of ${execution.region}`;
  return status === 'succeeded'
    ? `${request.databaseId} is recovered. Its report: ${place}`
    : `The recovery of ${request.databaseId} did not end well. Its report says how things stand: ${place}\ndocs/runbooks/DatabaseCorruption.md`;
}
