import { Conflict, InvalidInput, NotFound } from '../../common/errors.ts';
import type { Operations } from '../../common/operations.ts';
import { parseAs } from '../../common/parse.ts';
import type { Reports } from '../../failover/ports.ts';
import { evidenceKey } from '../incident/evidence-key.ts';
import type { Incident } from '../models.ts';
import {
  Communication,
  CommunicationAnswer,
  type CommunicationState,
  communicationHash,
  judgeCommunication,
  objectionToAnswer,
} from './communication.ts';

/** A text with its answer, and what it is worth. */
export interface StoredCommunication extends CommunicationState {
  readonly hash: string;
  readonly communication: Communication;
}

type Where = Pick<Incident, 'id' | 'home'>;
const below = (incident: Where): string => evidenceKey(incident, 'communications/');
const textKey = (incident: Where, hash: string): string => `${below(incident)}${hash}.json`;
/** Written once: the first answer counts. */
const answerKey = (incident: Where, hash: string): string => `${below(incident)}${hash}.answer.json`;

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value, undefined, 2));
const contentType = 'application/json';
const read = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

/** Into the evidence bucket of the incident's home, under its hash. @returns the hash */
export async function storeCommunication(reports: Reports, incident: Where, communication: Communication): Promise<string> {
  const hash = communicationHash(communication);
  await reports.put(incident.home, textKey(incident, hash), json(communication), contentType);
  return hash;
}

/** Texts about an incident, oldest first. */
export async function communicationsOf(
  reports: Reports,
  incident: Where,
  operations: Operations,
  now: Date,
): Promise<readonly StoredCommunication[]> {
  const keys = (await reports.list(incident.home, below(incident))).filter((key) => !key.endsWith('.answer.json'));
  const found = await Promise.all(
    keys.map((key) => storedAs(reports, incident, key.slice(below(incident).length, -'.json'.length), operations, now)),
  );
  return found.flatMap((each) => each ?? []).sort((a, b) => (a.communication.writtenAt < b.communication.writtenAt ? -1 : 1));
}

async function storedAs(
  reports: Reports,
  incident: Where,
  hash: string,
  operations: Operations,
  now: Date,
): Promise<StoredCommunication | undefined> {
  const [text, answer] = await Promise.all([
    reports.get(incident.home, textKey(incident, hash)),
    reports.get(incident.home, answerKey(incident, hash)),
  ]);
  if (!text) return undefined;
  const communication = parseAs(Communication, read(text), `the communication ${hash}`);
  if (communicationHash(communication) !== hash) throw new InvalidInput(`the communication ${hash} is not the one that its name says`);
  const given = answer && parseAs(CommunicationAnswer, read(answer), `the answer to ${hash}`);
  return { hash, communication, ...judgeCommunication(communication, given, operations, now) };
}

/** The text whose hash begins so. @throws NotFound, InvalidInput */
export async function communicationNamed(
  reports: Reports,
  incident: Where,
  beginning: string,
  operations: Operations,
  now: Date,
): Promise<StoredCommunication> {
  if (!/^[0-9a-f]{8,64}$/.test(beginning)) {
    throw new InvalidInput(`"${beginning}" names no text`, { hint: 'Give the first 8 or more hex digits of its hash.' });
  }
  const fitting = (await communicationsOf(reports, incident, operations, now)).filter(({ hash }) => hash.startsWith(beginning));
  const [found] = fitting;
  if (!found)
    throw new NotFound(`there is no text ${beginning} about ${incident.id}`, {
      hint: `codeblue incident communicate ${incident.id} lists them.`,
    });
  if (fitting.length > 1) throw new InvalidInput(`${fitting.length} texts begin with ${beginning}`, { hint: 'Give more digits.' });
  return found;
}

/**
 * Stores an answer that would count; a mistake must not use the text up.
 *
 * @returns the text with what it is worth now: of somebody who was faster, their answer
 * @throws InvalidInput with the reason
 */
export async function answerCommunication(
  reports: Reports,
  incident: Where,
  { hash, communication, status, says }: StoredCommunication,
  given: Pick<CommunicationAnswer, 'answer' | 'by' | 'at'>,
  operations: Operations,
): Promise<StoredCommunication> {
  const now = new Date(given.at);
  if (status !== 'waiting') throw new InvalidInput(`the text cannot be answered any more: ${status}, ${says}`, { hint: 'Write it anew.' });
  const objection = objectionToAnswer(communication, given, operations);
  if (objection !== undefined) throw new InvalidInput(`this answer would not count: ${objection}`);
  const answer: CommunicationAnswer = { hash, ...given };
  await reports.put(incident.home, answerKey(incident, hash), json(answer), contentType).catch((error: unknown) => {
    if (!(error instanceof Conflict)) throw error;
  });
  const stored = await storedAs(reports, incident, hash, operations, now);
  if (!stored) throw new NotFound(`the text ${hash} is gone`);
  return stored;
}
