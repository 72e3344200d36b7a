import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalText } from '../../common/canonical-json.ts';
import { after } from '../../common/duration.ts';
import { InvalidInput } from '../../common/errors.ts';
import { Timestamp, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { isListed, principalOf } from '../../failover/approval/principal.ts';
import { type Incident, IncidentId } from '../models.ts';
import { communicationFacts } from './facts.ts';
import { type CommunicationTemplate, communicationTemplates } from './templates.ts';

/** A text about an incident as it would leave the house. Its hash is what somebody else approves. */
export const Communication = z.strictObject({
  format: z.literal('codeblue-communication/1'),
  incidentId: IncidentId,
  template: z.string(),
  audience: z.enum(['internal', 'external', 'media']),
  subject: z.string().max(300),
  text: z.string().max(10_000),
  /** What a person wrote into it, by the name of its place. Empty: it is made of facts alone. */
  words: z.record(z.string(), z.string()),
  /** The principal of whoever wrote it. */
  writtenBy: z.string().min(1).max(200),
  writtenAt: Timestamp,
  /** Approved before then, or written anew: what it says was true when it was written. */
  expiresAt: Timestamp,
});
export type Communication = z.output<typeof Communication>;

export const CommunicationAnswer = z.strictObject({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  answer: z.enum(['approved', 'rejected']),
  by: z.string().min(1).max(200),
  at: Timestamp,
});
export type CommunicationAnswer = z.output<typeof CommunicationAnswer>;

/** SHA-256 (hex) of the canonical JSON (RFC 8785) of all of it. */
export function communicationHash(communication: Communication): string {
  return createHash('sha256').update(canonicalText(communication)).digest('hex');
}

/** @throws InvalidInput naming those that there are */
export function templateNamed(id: string): CommunicationTemplate {
  const found = communicationTemplates.find((template) => template.id === id);
  if (found) return found;
  throw new InvalidInput(`there is no template "${id}"`, {
    hint: `There are: ${communicationTemplates.map((each) => each.id).join(', ')}.`,
  });
}

const longestWord = 1000;

interface Writing {
  readonly words: Readonly<Record<string, string>>;
  readonly writtenBy: string;
  readonly now: Date;
}

/**
 * Fills a template: facts from the incident, words from `words` alone. Inside the house facts can stand in for words; outside each place must have been written by
 * somebody.
 *
 * @throws InvalidInput naming the words that are missing, unknown, empty or too long
 */
export function write(
  incident: Incident,
  template: CommunicationTemplate,
  { words, writtenBy, now }: Writing,
  operations: Operations,
): Communication {
  const facts: Readonly<Record<string, string>> = { ...communicationFacts(incident, operations.incidents) };
  const asked = template.words.map(({ name }) => name);
  const unknown = Object.keys(words).filter((name) => !asked.includes(name));
  if (unknown.length > 0)
    throw new InvalidInput(`${template.id} has no place for: ${unknown.join(', ')}`, { hint: `It has: ${asked.join(', ')}.` });
  const missing = template.words.filter(({ name }) => words[name] === undefined && !(template.audience === 'internal' && name in facts));
  if (missing.length > 0) {
    throw new InvalidInput(`${template.id} lacks ${missing.map(({ name }) => name).join(', ')}`, {
      hint: missing.map(({ name, asks }) => `--word ${name}="..." (${asks})`).join('; '),
    });
  }
  for (const [name, written] of Object.entries(words)) {
    if (written.trim() === '' || written.length > longestWord || /\p{Cc}/u.test(written)) {
      throw new InvalidInput(`the word ${name} is empty, longer than ${longestWord} characters, or has control characters in it`, {
        hint: 'Write it as one line.',
      });
    }
  }
  const filled = { ...facts, ...words };
  return Communication.parse({
    format: 'codeblue-communication/1',
    ...{ incidentId: incident.id, template: template.id, audience: template.audience, words, writtenBy },
    subject: fill(template.subject, filled),
    text: fill(template.text, filled),
    writtenAt: timestamp(now),
    expiresAt: timestamp(after(now, operations.failover.approvals.expireAfter)),
  });
}

/** In one pass: a brace that somebody wrote is not a place. */
const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);

/** Facts alone stay inside the house without anybody's approval. */
export const needsApproval = ({ audience, words }: Communication): boolean => audience !== 'internal' || Object.keys(words).length > 0;

type Approvers = Pick<Operations, 'incidents' | 'failover'>;

/** Why this person's answer would not count; undefined when it does. Whoever wrote it may withdraw it. */
export function objectionToAnswer(
  { writtenBy }: Communication,
  { by, answer }: Pick<CommunicationAnswer, 'by' | 'answer'>,
  { incidents: { people }, failover }: Approvers,
): string | undefined {
  const peopleOf = (principal: string) => people.filter(({ principals }) => isListed(principal, principals)).map(({ id }) => id);
  const writers = peopleOf(writtenBy);
  const isWriter = principalOf(by) === principalOf(writtenBy) || peopleOf(by).some((id) => writers.includes(id));
  if (isWriter) return answer === 'approved' ? `${by} wrote it, and nobody approves their own words` : undefined;
  if (peopleOf(by).length === 0 && !isListed(by, failover.approvals.by)) {
    return `${by} is nobody of incidents.people, and not listed in failover.approvals.by`;
  }
  return undefined;
}

export interface CommunicationState {
  readonly status: 'approved' | 'rejected' | 'expired' | 'waiting';
  readonly says: string;
}

/** What a text is worth: approved only with an answer to exactly this text, by somebody else who may, in time. The first answer is final. */
export function judgeCommunication(
  communication: Communication,
  answer: CommunicationAnswer | undefined,
  approvers: Approvers,
  now: Date,
): CommunicationState {
  const { writtenBy, expiresAt } = communication;
  if (!needsApproval(communication)) return { status: 'approved', says: `facts alone, for people inside; by ${writtenBy}` };
  if (answer === undefined) {
    if (now.getTime() >= Date.parse(expiresAt)) return { status: 'expired', says: `nobody answered before ${expiresAt}` };
    return { status: 'waiting', says: `somebody else than ${writtenBy} approves it before ${expiresAt}` };
  }
  if (answer.hash !== communicationHash(communication))
    return { status: 'rejected', says: `the answer of ${answer.by} is about another text` };
  if (answer.at >= expiresAt) return { status: 'expired', says: `the answer of ${answer.by} came after ${expiresAt}` };
  const objection = objectionToAnswer(communication, answer, approvers);
  if (objection !== undefined) return { status: 'rejected', says: objection };
  return { status: answer.answer, says: `written by ${writtenBy}, ${answer.answer} by ${answer.by} at ${answer.at}` };
}
