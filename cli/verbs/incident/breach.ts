import { formatSeconds } from '../../../functions/common/duration.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { type Timestamp, timeSlug } from '../../../functions/common/ids.ts';
import { type AuthorityBundle, authorityBundle, bundleMarkdown } from '../../../functions/incidents/communication/authority-bundle.ts';
import {
  type Regulation,
  type RegulatoryClock,
  regulatoryClocks,
  settledKey,
} from '../../../functions/incidents/communication/regulatory-clocks.ts';
import { communicationsOf } from '../../../functions/incidents/communication/stored-communications.ts';
import { evidenceKey } from '../../../functions/incidents/incident/evidence-key.ts';
import { addLink } from '../../../functions/incidents/incident/links.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import type { Session } from '../../session.ts';
import { type actorOf, type ChangeSession, carryOut, incidentChangePorts } from './change.ts';

export const breachPorts = [...incidentChangePorts, 'reports'] as const;
type BreachSession = Session<(typeof breachPorts)[number]>;
type Actor = ReturnType<typeof actorOf>;

export const renderClocks = (clocks: readonly RegulatoryClock[]): string =>
  clocks
    .map(({ regulation, rule, whom, until, status, leftSeconds }) => {
      const left =
        status === 'settled' ? 'settled' : leftSeconds < 0 ? `${formatSeconds(-leftSeconds)} late` : `${formatSeconds(leftSeconds)} left`;
      return `  ${regulation.padEnd(6)} tell ${whom} before ${until} (${rule}): ${left}`;
    })
    .join('\n');

/** @throws InvalidInput naming those of the config */
export function regulationNamed({ operations }: Pick<ChangeSession, 'operations'>, name: string): Regulation {
  const found = operations.incidents.regulations.find((regulation) => regulation === name);
  if (found) return found;
  throw new InvalidInput(`the config does not name the regulation "${name}"`, {
    hint: `incidents.regulations has: ${operations.incidents.regulations.join(', ')}.`,
  });
}

export interface StoredBundle {
  readonly bundle: AuthorityBundle;
  /** Below the evidence bucket of the incident's home; the same with `.md` for people. */
  readonly key: string;
}

/** What is known now, into the evidence bucket, twice: for machines and for people. */
export async function storeBundle(session: BreachSession, incident: Incident, regulation: Regulation, actor: Actor): Promise<StoredBundle> {
  const { ports, operations, clock } = session;
  const now = clock.now();
  const sources = {
    ...{ incident, operations, timeline: await ports.incidents.timeline(incident.id) },
    communications: await communicationsOf(ports.reports, incident, operations, now),
  };
  const bundle = authorityBundle(regulation, sources, actor.by, now);
  const beginning = evidenceKey(incident, `authority-${regulation}-${timeSlug(now)}`);
  const key = `${beginning}.json`;
  const change = {
    ...{ action: 'bundle-for-authority', details: { regulation, key } },
    decide: (stored: Incident, wanted: { readonly by: string; readonly now: Date }) =>
      addLink(stored, { ...wanted, link: { kind: 'evidence', ref: key }, says: `what ${regulation} asks is written down: ${key}` }),
  };
  await ports.reports.put(incident.home, `${beginning}.md`, Buffer.from(bundleMarkdown(bundle)), 'text/markdown; charset=utf-8');
  await ports.reports.put(incident.home, key, Buffer.from(JSON.stringify(bundle, undefined, 2)), 'application/json');
  await carryOut(session, incident, change, actor);
  return { bundle, key };
}

export const renderBundle = ({ bundle, key }: StoredBundle): string =>
  `${bundleMarkdown(bundle)}\nKept as ${key} and .md in the evidence bucket.`;

interface Settlement {
  readonly regulation: Regulation;
  readonly decision: 'told' | 'not-required';
  /** The authority's reference, or why it need not be told. */
  readonly reason: string;
}

/** Ends a clock of the law, with a record that nobody can change. @throws InvalidInput when it does not run */
export async function settle(
  session: BreachSession,
  incident: Incident,
  { regulation, decision, reason }: Settlement,
  actor: Actor,
): Promise<{ readonly key: string; readonly clocks: readonly RegulatoryClock[]; readonly at: Timestamp | string }> {
  const { ports, operations, clock } = session;
  const now = clock.now();
  const running = regulatoryClocks(incident, operations.incidents, now).find((each) => each.regulation === regulation);
  if (!running) throw new InvalidInput(`${incident.id} was not declared a breach`, { hint: `codeblue incident breach ${incident.id}` });
  if (running.status === 'settled') throw new InvalidInput(`${regulation} was settled at ${running.settledAt}`);
  const key = settledKey(incident, regulation, now);
  const record = {
    format: 'codeblue-regulatory-settlement/1',
    ...{ incidentId: incident.id, regulation, decision, reason, by: actor.principal, at: now.toISOString(), until: running.until },
  };
  await ports.reports.put(incident.home, key, Buffer.from(JSON.stringify(record, undefined, 2)), 'application/json');
  const says =
    decision === 'told' ? `${regulation}: ${running.whom} was told` : `${regulation}: need not be told, by the answer of ${actor.by}`;
  const { incident: stored } = await carryOut(
    session,
    incident,
    {
      ...{ action: 'settle-regulation', details: { regulation, decision, key } },
      decide: (each, wanted) => addLink(each, { ...wanted, link: { kind: 'evidence', ref: key }, says }),
    },
    actor,
  );
  return { key, at: now.toISOString(), clocks: regulatoryClocks(stored, operations.incidents, now) };
}
