import { audited } from '../../../functions/audit/audited.ts';
import { seconds } from '../../../functions/common/duration.ts';
import { InvalidInput, ServiceUnavailable } from '../../../functions/common/errors.ts';
import type { Region } from '../../../functions/common/ids.ts';
import { databaseOf } from '../../../functions/common/operations-lookup.ts';
import { reportStem } from '../../../functions/failover/breach/evidence-objects.ts';
import type { BreachRequest } from '../../../functions/failover/breach/models.ts';
import { breachExecution, requestBreach } from '../../../functions/failover/breach/request-breach.ts';
import { type TellingDeadline, tellingDeadlines } from '../../../functions/failover/breach/telling-others.ts';
import { candidateRegions } from '../../../functions/failover/leadership/candidates.ts';
import type { ExecutionRef } from '../../../functions/maintenance/ports.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';

export const containPorts = ['auditLog', 'coordination', 'executions'] as const;
type ContainSession = Session<(typeof containPorts)[number]>;

/** A containment that could begin now. Nothing here has been done. */
export interface PlannedContainment {
  readonly request: BreachRequest;
  readonly execution: ExecutionRef;
  /** Where the application is shut out, of every database. */
  readonly regions: readonly Region[];
  readonly databases: readonly string[];
  /** Whether the copies in the vault cannot be removed by anybody. */
  readonly locked: boolean;
  readonly tell: readonly TellingDeadline[];
  /** One that stands already: this one takes its place. */
  readonly standing?: string;
}

const poll = seconds(5);

/** @throws InvalidInput with the reason when the machine cannot begin, or when it is at work already */
export async function planContainment(
  { ports, operations, clock }: ContainSession,
  wanted: {
    readonly reason: string;
    readonly requestedBy: string;
    readonly since?: Date;
    readonly recover?: { readonly database: string; readonly until: Date };
  },
): Promise<PlannedContainment> {
  const { recover, ...rest } = wanted;
  const record = await ports.coordination.read();
  const requested = requestBreach({
    ...{ operations, record, now: clock.now(), ...rest },
    ...(recover ? { recover: { databaseId: databaseOf(operations, recover.database).id, until: recover.until } } : {}),
  });
  if (requested.kind === 'refused') throw new InvalidInput(requested.because, { hint: requested.hint });
  const { request } = requested;
  const standing = await ports.coordination.containment();
  if (standing && (await ports.executions.describe(breachExecution({ ...request, breachId: standing.breachId })))?.status === 'running') {
    throw new InvalidInput(`${standing.breachId} is being contained since ${standing.since}`, {
      hint: 'To end it: codeblue contain --release',
    });
  }
  return {
    ...{
      request,
      execution: breachExecution(request),
      regions: candidateRegions(operations),
      databases: operations.databases.map(({ id }) => id),
    },
    ...{ locked: operations.vaultLock.mode === 'compliance', tell: tellingDeadlines(request.declaredAt) },
    ...(standing ? { standing: standing.breachId } : {}),
  };
}

export function renderPlannedContainment({ request, regions, databases, locked, tell, standing }: PlannedContainment): string {
  const { breachId, region, since, reason, recover } = request;
  return [
    'Containment of a breach. THE APPLICATION STOPS: it gets to no database until a person opens the network again',
    `  id         ${breachId}, in ${region}`,
    `  reason     ${reason}`,
    `  databases  ${databases.join(', ')} in ${regions.join(' and ')}`,
    `  logs       from ${since} on, of every Region`,
    ...(standing === undefined ? [] : [`  instead of ${standing}, whose machine has ended`]),
    '',
    'What happens',
    '  1. nothing moves by itself for seven days, and no guardian opens the network',
    "  2. the application's rules are taken out of the databases' security groups; connections that are open may live on",
    '  3. a snapshot of each database is taken as it is, and people are told',
    '  4. the logs are copied into locked objects, with a manifest of their SHA-256',
    `  5. a copy of each database goes into the vault${locked ? ', where nobody can remove it' : ', which is NOT locked: vaultLock.mode is not compliance'}`,
    ...(recover ? [`  6. ${recover.databaseId} is brought back to ${recover.until}; somebody else must approve it`] : []),
    '',
    'Others must be told, counted from now; whoever knew earlier counts from then',
    ...tell.map(({ rule, whom, until }) => `  - ${whom} before ${until} (${rule})`),
  ].join('\n');
}

export interface ContainmentOutcome {
  readonly request: BreachRequest;
  readonly execution: ExecutionRef;
  readonly status: 'succeeded' | 'failed';
}

/** Starts the machine in the Region that leads, and follows it to its end. It goes on without whoever follows it. */
export async function startContainment(
  { ports, clock, region }: ContainSession,
  { request, execution }: PlannedContainment,
  operator: string,
  report: Report,
): Promise<ContainmentOutcome> {
  const { reason, since } = request;
  const act = { actor: `cli/${operator}`, action: 'declare-breach', resource: execution.name, details: { reason, since } };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.executions.start({ ...execution, input: { request } }));
  for (;;) {
    report(`${execution.name} runs in ${execution.region}, for hours where there are many logs; it goes on without this command`);
    const found = await ports.executions.describe(execution).catch((error: unknown) => {
      if (error instanceof ServiceUnavailable) return undefined; // looked for again
      throw error;
    });
    if (found && found.status !== 'running') return { request, execution, status: found.status };
    await clock.sleep(poll * 1000);
  }
}

export const renderContainmentOutcome = ({ request, execution, status }: ContainmentOutcome): string => {
  const place = `${reportStem(request)}.html in the evidence bucket of ${execution.region}`;
  return status === 'succeeded'
    ? `${request.breachId} is contained, and the evidence is kept. Its report: ${place}\nTo open the network again: codeblue contain --release`
    : `${request.breachId} is not contained, or something is not kept. Its report says what: ${place}\ndocs/runbooks/SecurityBreach.md`;
};
