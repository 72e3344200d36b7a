import { audited } from '../../../functions/audit/audited.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import type { Severity } from '../../../functions/common/incident-policy.ts';
import { silentLogger } from '../../../functions/common/logger.ts';
import { declaration } from '../../../functions/incidents/incident/declare.ts';
import { line } from '../../../functions/incidents/incident/transition.ts';
import type { Incident, Signal, Triage } from '../../../functions/incidents/models.ts';
import { triageBatch } from '../../../functions/incidents/triage/triage-batch.ts';
import type { Session } from '../../session.ts';
import type { actorOf } from './change.ts';

export const declarePorts = ['auditLog', 'executions', 'incidents', 'ledger', 'metrics'] as const;
type DeclareSession = Session<(typeof declarePorts)[number]>;

export interface Declared {
  readonly outcome: Triage['outcome'];
  readonly incident?: Incident;
  readonly says: string;
}

/** What is going to be declared. @throws InvalidInput when the config has no such thing */
export const planDeclaration = (
  { operations, region, clock }: DeclareSession,
  wanted: { readonly subject: string; readonly severity: Severity; readonly reason: string },
  by: string,
): Signal => declaration(operations, { ...wanted, note: wanted.reason, by, region, now: clock.now() });

export const renderPlannedDeclaration = (
  { operations }: Pick<DeclareSession, 'operations'>,
  { subject, severity, region }: Signal,
): string => {
  const { name, pages, respondWithin } = operations.incidents.severities[severity];
  const service = operations.incidents.services.find(({ id }) => id === subject);
  const told = pages ? `people are told by policy ${service?.policy ?? operations.incidents.defaultPolicy}` : 'nobody is paged for it';
  return `Declare a ${name} about ${subject} in ${region}: ${told}, and somebody answers within ${respondWithin / 60} min.\nWhat is open about it already is joined and not opened twice.`;
};

/** Through triage, as any alarm: opened, joined or silenced, and told to people. @throws ServiceUnavailable, Conflict */
export async function declare(session: DeclareSession, signal: Signal, { principal, by }: ReturnType<typeof actorOf>): Promise<Declared> {
  const { ports, clock, region, operations } = session;
  const act = {
    ...{ actor: `cli/${principal}`.slice(0, 200), action: 'declare-incident', resource: signal.subject },
    details: { severity: signal.severity, signalId: signal.signalId, as: by },
  };
  return audited({ auditLog: ports.auditLog, clock, region }, act, async () => {
    await triageBatch([signal], { ...ports, operations, region, clock, log: silentLogger });
    const triaged = await ports.incidents.triageOf(signal.signalId);
    if (!triaged) throw new ServiceUnavailable(`what became of ${signal.signalId} cannot be read`, { hint: 'codeblue incident list' });
    const { outcome, incidentId, says } = triaged;
    const incident = incidentId && (await ports.incidents.get(incidentId));
    if (incident && signal.note !== '')
      await ports.incidents.append(incident.id, [line('note', { by, now: new Date(signal.at) }, `declared: ${signal.note}`)]);
    return { outcome, says, ...(incident ? { incident } : {}) };
  });
}

export const renderDeclared = ({ says, incident }: Declared): string =>
  incident ? `${says}\nAnswer it: codeblue incident ack ${incident.id}` : says;
