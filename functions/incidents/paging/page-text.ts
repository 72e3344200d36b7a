import { z } from 'zod';
import type { Region, Timestamp } from '../../common/ids.ts';
import type { Severity } from '../../common/incident-policy.ts';
import type { AlarmName, IncidentId, Subject } from '../models.ts';

/** Made by `acknowledgeUrl` (acknowledge/link.ts): the endpoint's address and what it signed. Nothing of it is free text. */
export const AcknowledgeUrl = z
  .string()
  .regex(/^https?:\/\/[A-Za-z0-9.:-]{1,80}\/[A-Za-z0-9_-]{1,50}$/, 'the address of the acknowledge endpoint and a signed token')
  .brand<'AcknowledgeUrl'>();
export type AcknowledgeUrl = z.output<typeof AcknowledgeUrl>;

interface Facts {
  readonly incidentId: IncidentId;
  readonly severity: Severity;
  readonly region: Region;
}

/** Of one incident. */
interface IncidentFacts extends Facts {
  readonly kind: 'incident';
  readonly alarm: AlarmName;
  readonly subject: Subject;
  readonly openedAt: Timestamp;
  /** Alarms of it that ring, and signals so far. */
  readonly firing: number;
  readonly signals: number;
  /** From 1: how many steps have been told before and did not answer. */
  readonly attempt: number;
  /** Signed, of the deployment's own endpoint. Absent where there is none, or nothing can be signed now: a page does not wait for its link. */
  readonly acknowledgeUrl?: AcknowledgeUrl;
}

/** Of several incidents at once, beyond a channel's rate: the worst of them, and how many they are. */
interface DigestFacts extends Facts {
  readonly kind: 'digest';
  readonly alarm: AlarmName;
  readonly subject: Subject;
  readonly incidents: number;
}

/** The synthetic page that shows each day whether pages arrive. */
interface TestFacts extends Facts {
  readonly kind: 'test';
  readonly at: Timestamp;
}

/**
 * All that a page can be made of (row I8): ids of the config, Regions, counts and times. There is no way to put free text into it.
 */
export type PageFacts = IncidentFacts | DigestFacts | TestFacts;

declare const made: unique symbol;

/** Text that `pageText` made, and nothing else did: channels take no other. */
export interface PageText {
  readonly [made]: true;
  /** At most 100 characters: SNS's limit for a subject. */
  readonly subject: string;
  readonly body: string;
  /** One SMS: at most 160 characters of GSM 03.38. */
  readonly short: string;
  readonly facts: PageFacts;
}

const subjectLimit = 100;
const shortLimit = 160;

/** What a page says, by template. The limits hold by construction, however long the ids are. */
export function pageText(facts: PageFacts): PageText {
  const text: Omit<PageText, typeof made> = { subject: clip(headline(facts), subjectLimit), body: body(facts), short: short(facts), facts };
  return text as PageText; // the only maker
}

/** In at most `limit` characters. The two points are in GSM 03.38, an ellipsis is not. */
const clip = (text: string, limit: number): string => (text.length <= limit ? text : `${text.slice(0, limit - 2)}..`);

const region = (facts: PageFacts): string => clip(facts.region, 16);

/** 12 + 36 + 4 + 28 + 4 + 16 characters at most. */
function headline(facts: PageFacts): string {
  switch (facts.kind) {
    case 'incident':
      return `Severity ${facts.severity}: ${clip(facts.alarm, 36)} of ${clip(facts.subject, 28)} in ${region(facts)}`;
    case 'digest':
      return `Severity ${facts.severity}: ${facts.incidents} incidents, worst ${clip(facts.alarm, 36)} in ${region(facts)}`;
    case 'test':
      return `Test page of ${region(facts)}: nothing is wrong`;
  }
}

const acknowledgeCommand = ({ incidentId }: PageFacts): string => `codeblue incident ack ${incidentId}`;

function body(facts: PageFacts): string {
  switch (facts.kind) {
    case 'incident': {
      const { alarm, subject, openedAt, firing, signals, attempt, acknowledgeUrl } = facts;
      return [
        `Severity ${facts.severity}: ${alarm} of ${subject} in ${facts.region}.`,
        `Opened ${openedAt}. Alarms that ring: ${firing}. Signals so far: ${signals}.`,
        attempt === 1 ? 'You are among the first to be told.' : `Steps told before this one, without an answer: ${attempt - 1}.`,
        '',
        ...(acknowledgeUrl
          ? ['To acknowledge, open this page and press its button (once, and not for long):', acknowledgeUrl, 'or run']
          : ['To acknowledge, run']),
        acknowledgeCommand(facts),
        '',
        `What to do first: docs/runbooks/${alarm}.md`,
      ].join('\n');
    }
    case 'digest':
      return [
        `${facts.incidents} incidents want an answer from you, too many for a page each.`,
        `The worst: severity ${facts.severity}, ${facts.alarm} of ${facts.subject} in ${facts.region}, ${facts.incidentId}.`,
        '',
        'codeblue incident list',
        acknowledgeCommand(facts),
      ].join('\n');
    case 'test':
      return [
        `This is the synthetic page of ${facts.at} from ${facts.region}: it shows that pages reach you. Nothing is wrong, and nothing is to be done.`,
        'One that does not come is to be reported to whoever looks after Codeblue.',
      ].join('\n');
  }
}

/** The longest wording that fits; with a link, what the page is about gives way to it. */
function short(facts: PageFacts): string {
  const end = shortEnd(facts);
  const room = shortLimit - end.length;
  const wordings = shortWordings(facts);
  const fitting = wordings.find((each) => each.length <= room) ?? clip(wordings.at(-1) ?? '', room);
  return `${fitting}${end}`;
}

/** At most 140 characters: the longest `AcknowledgeUrl` has 139, and leaves 20 for `S1 ServiceDown hms..`. */
function shortEnd(facts: PageFacts): string {
  if (facts.kind === 'test') return '';
  if (facts.kind === 'incident' && facts.acknowledgeUrl !== undefined) return ` ${facts.acknowledgeUrl}`;
  return `. ${acknowledgeCommand(facts)}`;
}

/** Longest first. */
function shortWordings(facts: PageFacts): readonly string[] {
  const level = `S${facts.severity}`;
  switch (facts.kind) {
    case 'incident': {
      const { alarm, subject } = facts;
      return [
        `${level} ${alarm} of ${subject} in ${facts.region}`,
        `${level} ${alarm} ${subject}`,
        `${level} ${clip(alarm, 16)} ${subject}`,
      ];
    }
    case 'digest': {
      const { alarm, incidents } = facts;
      return [`${level} ${incidents} incidents, worst ${alarm} in ${facts.region}`, `${level} ${incidents} incidents, worst ${alarm}`];
    }
    case 'test':
      return [`Test page of ${region(facts)} at ${facts.at}: nothing is wrong`];
  }
}
