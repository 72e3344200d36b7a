import type { Command } from 'commander';
import type { Operations } from '../functions/common/operations.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { Incident } from '../functions/incidents/models.ts';
import { type Opened, openWhereAnswered, type ProgramContext } from './program-context.ts';
import { actorOf, carryOut, foresee, incidentChangePorts, type WantedChange } from './verbs/incident/change.ts';
import { assertIncidentsAreOn, incidentNamed } from './verbs/incident/incident-named.ts';

/** An incident that a verb is about, opened, and who wants something of it. */
export interface OpenedIncident<N extends keyof Ports> extends Opened<N> {
  readonly incident: Incident;
  actor(): Promise<ReturnType<typeof actorOf>>;
}

/** Opens the deployment where it answers, and finds the incident. @throws InvalidInput while incidents are off */
export async function openIncident<N extends keyof Ports>(
  context: ProgramContext,
  command: Command,
  name: string,
  ports: readonly (N | 'incidents')[],
  person?: string,
): Promise<OpenedIncident<N | 'incidents'>> {
  const opened = await openWhereAnswered(context, command, ports);
  assertIncidentsAreOn(opened.session.operations);
  const incident = await incidentNamed(opened.session, name);
  return { ...opened, incident, actor: async () => actorOf(opened.session, await opened.principal(), person) };
}

interface ChangeOptions {
  readonly person?: string;
  readonly yes?: boolean;
  /** Shown and asked about before it is done. */
  readonly asks: boolean;
}

/** One change of one incident: decided, shown, done, told. What is so already is said, and no error. */
export async function changeIncident(
  context: ProgramContext,
  command: Command,
  name: string,
  { person, yes, asks }: ChangeOptions,
  wanted: (operations: Operations, now: Date) => WantedChange,
): Promise<void> {
  const { session, incident, actor, show, mayDo } = await openIncident(context, command, name, incidentChangePorts, person);
  const who = await actor();
  const change = wanted(session.operations, session.clock.now());
  const foreseen = foresee(session, incident, change, who.by);
  if (asks && foreseen.kind === 'done' && !(await mayDo(foreseen.says, { yes }))) return;
  const changed = await carryOut(session, incident, change, who);
  show(changed, ({ says }) => says);
}
