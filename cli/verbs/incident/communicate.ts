import { audited } from '../../../functions/audit/audited.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import {
  type Communication,
  type CommunicationAnswer,
  communicationHash,
  needsApproval,
  templateNamed,
  write,
} from '../../../functions/incidents/communication/communication.ts';
import {
  answerCommunication,
  communicationsOf,
  type StoredCommunication,
  storeCommunication,
} from '../../../functions/incidents/communication/stored-communications.ts';
import { type CommunicationTemplate, communicationTemplates } from '../../../functions/incidents/communication/templates.ts';
import { line } from '../../../functions/incidents/incident/transition.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import { table } from '../../render/table.ts';
import type { Session } from '../../session.ts';
import type { Terminal } from '../../terminal.ts';
import type { actorOf } from './change.ts';

export const communicatePorts = ['auditLog', 'incidents', 'reports'] as const;
type CommunicateSession = Session<(typeof communicatePorts)[number]>;
type Actor = ReturnType<typeof actorOf>;

export interface Communications {
  readonly texts: readonly StoredCommunication[];
  readonly templates: readonly CommunicationTemplate[];
}

export const listCommunications = async (
  { ports, operations, clock }: CommunicateSession,
  incident: Incident,
): Promise<Communications> => ({
  texts: await communicationsOf(ports.reports, incident, operations, clock.now()),
  templates: communicationTemplates,
});

export function renderCommunications({ texts, templates }: Communications, { colours }: Terminal): string {
  const rows = texts.map(({ hash, communication, status, says }) => [hash.slice(0, 16), communication.template, status, says]);
  const places = templates.map(({ id, audience, words, source }) => [id, audience, words.map(({ name }) => name).join(', '), source]);
  return [
    texts.length === 0 ? 'Nothing was written about it yet.' : table(['TEXT', 'TEMPLATE', 'STANDS', ''], rows, colours.bold),
    '',
    table(['TEMPLATE', 'FOR', 'WORDS', 'SOURCE'], places, colours.bold),
  ].join('\n');
}

/** The text as it would leave the house. @throws InvalidInput */
export const draft = (
  { operations, clock }: CommunicateSession,
  incident: Incident,
  template: string,
  words: Readonly<Record<string, string>>,
  writtenBy: string,
): Communication => write(incident, templateNamed(template), { words, writtenBy, now: clock.now() }, operations);

export const renderCommunication = ({ subject, text, audience, writtenBy }: Communication): string =>
  [
    `For people ${audience === 'internal' ? 'inside' : 'outside'}; written by ${writtenBy}. No patient may be recognisable in it.`,
    '',
    `  ${subject}`,
    '',
    ...text.split('\n').map((each) => `  ${each}`),
    '',
  ].join('\n');

interface Written {
  readonly hash: string;
  readonly communication: Communication;
  readonly needsApproval: boolean;
}

export async function storeDraft(
  session: CommunicateSession,
  incident: Incident,
  communication: Communication,
  { principal, by }: Actor,
): Promise<Written> {
  const { ports, clock } = session;
  const hash = communicationHash(communication);
  const act = {
    ...{ actor: `cli/${principal}`.slice(0, 200), action: 'write-communication', resource: incident.id },
    details: { hash, template: communication.template },
  };
  const waits = needsApproval(communication);
  await audited({ auditLog: ports.auditLog, clock, region: session.region }, act, async () => {
    await storeCommunication(ports.reports, incident, communication);
    const says = `${communication.template} ${hash.slice(0, 16)} written${waits ? ', and waits for somebody else' : ''}`;
    await ports.incidents.append(incident.id, [line('communication', { by, now: clock.now() }, says)]);
  });
  return { hash, communication, needsApproval: waits };
}

export const renderWritten = (incident: Incident, { hash, communication, needsApproval: waits }: Written): string =>
  waits
    ? `Somebody else approves it before ${communication.expiresAt}: codeblue incident communicate ${incident.id} --approve ${hash.slice(0, 16)}`
    : `${communication.subject}\n\n${communication.text}`;

/** @throws InvalidInput when the answer would not count */
export async function answerText(
  session: CommunicateSession,
  incident: Incident,
  text: StoredCommunication,
  answer: CommunicationAnswer['answer'],
  { principal, by }: Actor,
): Promise<StoredCommunication> {
  const { ports, clock, region, operations } = session;
  const act = {
    ...{ actor: `cli/${principal}`.slice(0, 200), action: `communication-${answer}`, resource: incident.id },
    details: { hash: text.hash, template: text.communication.template },
  };
  return audited({ auditLog: ports.auditLog, clock, region }, act, async () => {
    const at = timestamp(clock.now());
    const answered = await answerCommunication(ports.reports, incident, text, { answer, by: principal, at }, operations);
    const says = `${text.communication.template} ${text.hash.slice(0, 16)}: ${answered.says}`;
    await ports.incidents.append(incident.id, [line('communication', { by, now: clock.now() }, says)]);
    return answered;
  });
}

/** The text is for whoever sends it; what it is worth stands beside it. */
export const renderAnswered = ({ communication, status, says }: StoredCommunication): string =>
  status === 'approved' ? `${communication.subject}\n\n${communication.text}\n\n(${says})` : `${status}: ${says}`;
