import type { Region, Timestamp } from '../../common/ids.ts';
import type { Severity } from '../../common/incident-policy.ts';
import type { AlarmName, IncidentId, Subject } from '../models.ts';

/**
 * All that a page can be made of (row I8): ids of the config, Regions, counts and times. There is no way to put free text into it.
 */
export interface PageFacts {
  readonly incidentId: IncidentId;
  readonly severity: Severity;
  readonly alarm: AlarmName;
  readonly subject: Subject;
  readonly region: Region;
  readonly openedAt: Timestamp;
  /** Alarms of it that ring, and signals so far. */
  readonly firing: number;
  readonly signals: number;
  /** From 1: how many steps have been told before and did not answer. */
  readonly attempt: number;
  /** Signed, of the deployment's own endpoint. Absent on a synthetic page and in a digest. */
  readonly acknowledgeUrl?: string;
}

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
