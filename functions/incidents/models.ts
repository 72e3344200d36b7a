import { z } from 'zod';
import { Region, Timestamp } from '../common/ids.ts';
import { Severity } from '../common/incident-policy.ts';

/** `inc-20261121t070000z-1f2e3d4c5b`: the time it was opened, and a digest of what opened it. */
export const IncidentId = z
  .string()
  .regex(/^inc-\d{8}t\d{6}z-[0-9a-f]{10}$/, 'an id such as inc-20261121t070000z-1f2e3d4c5b')
  .brand<'IncidentId'>();
export type IncidentId = z.output<typeof IncidentId>;

/** The name of an alarm's page in docs/runbooks. */
export const AlarmName = z
  .string()
  .regex(/^[A-Z][A-Za-z0-9]{1,60}$/, 'the name of an alarm such as ServiceDown')
  .brand<'AlarmName'>();
export type AlarmName = z.output<typeof AlarmName>;

/**
 * What an alarm is about, as it may stand in a page: a database, service, task, machine or Region **of the config**. Made by `subjectOf` (ingest) only, which
 * takes nothing that a foreign tool wrote: that is how no patient's data can reach a page.
 */
export const Subject = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,60}$/, 'an id of the config')
  .brand<'Subject'>();
export type Subject = z.output<typeof Subject>;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

/**
 * One thing that happened, in the words of the product, whichever door it came in by. `signalId` is the same for each delivery of the same thing.
 */
export const Signal = z.strictObject({
  signalId: z.string().min(1).max(200),
  source: z.enum(['cloudwatch', 'codeblue', 'pagerduty', 'alertmanager', 'person']),
  /** Of the config, for the two foreign doors. */
  integration: z.string().optional(),
  action: z.enum(['trigger', 'acknowledge', 'resolve']),
  /** `v1:` and the SHA-256 (hex) of what makes two signals the same trouble; the version is raised when that rule changes. */
  dedupKey: z.string().regex(/^v\d+:[0-9a-f]{64}$/),
  alarm: AlarmName,
  subject: Subject,
  region: Region,
  severity: Severity,
  /** When it happened, by the source; `receivedAt` by the door. */
  at: Timestamp,
  receivedAt: Timestamp,
  /** Free text of the source for people who look the incident up. Kept encrypted, never in a page, a log line or a name. */
  note: z.string().max(2000).default(''),
});
export type Signal = z.output<typeof Signal>;

/** What became of one signal: it is on exactly one incident, or it is not, for a reason. */
export const Triage = z.strictObject({
  signalId: Signal.shape.signalId,
  outcome: z.enum(['opened', 'joined', 'reopened', 'acknowledged', 'resolved', 'silenced', 'ignored']),
  incidentId: IncidentId.optional(),
  /** `joined inc-...: ServiceDown of registration, 4 min after the last one`. For people; ids and times only. */
  says: z.string().max(500),
  at: Timestamp,
});
export type Triage = z.output<typeof Triage>;

/**
 * What is known of one alarm (by `dedupKey`), in the Region that hears it, whether it is on an incident or not: that is how an older change is told from a newer one, in
 * whatever order they come, and how an alarm is found again that paged nobody while it was held back.
 */
export const KnownAlarm = z.strictObject({
  dedupKey: Signal.shape.dedupKey,
  region: Region,
  alarm: AlarmName,
  subject: Subject,
  /** What was heard of it, by the source's own time, oldest first; the newest 50. */
  heard: z
    .array(z.strictObject({ at: Timestamp, rings: z.boolean(), severity: Severity }))
    .min(1)
    .max(50),
  /** The incident that it was put on last. */
  incidentId: IncidentId.optional(),
  /** It rings, and pages nobody while this lasts. */
  heldBack: z
    .strictObject({ by: z.enum(['silence', 'change-window', 'flapping']), name: z.string().min(1).max(200), since: Timestamp })
    .optional(),
  version: z.int().nonnegative(),
});
export type KnownAlarm = z.output<typeof KnownAlarm>;

const IncidentStatus = z.enum(['triggered', 'acknowledged', 'resolved', 'merged']);

/** The five phases of the hms plan: detection 0-15 min, containment 15-60 min, eradication 1-4 h, recovery 4-24 h, lessons learned 1-7 days. */
export const ResponsePhase = z.enum(['detection', 'containment', 'eradication', 'recovery', 'lessons']);
export type ResponsePhase = z.output<typeof ResponsePhase>;

/** Alarms that are part of an incident, and whether each of them still rings. */
const Trouble = z.strictObject({
  dedupKey: Signal.shape.dedupKey,
  alarm: AlarmName,
  subject: Subject,
  region: Region,
  severity: Severity,
  status: z.enum(['firing', 'resolved']),
  firstAt: Timestamp,
  lastAt: Timestamp,
  signals: z.int().positive(),
  /** When it last changed between the two, newest last, as many as flap damping looks at. */
  changes: z.array(Timestamp).max(50),
});
export type Trouble = z.output<typeof Trouble>;

/**
 * One incident. It belongs to its `home` Region, the one that its first signal came to: only there is it written, so two Regions never race for it, and the
 * others read the replica.
 */
export const Incident = z.strictObject({
  id: IncidentId,
  home: Region,
  status: IncidentStatus,
  /** The worst of its troubles, or what a person made of it. */
  severity: Severity,
  /** Signals of one group within `groupWithin` come here. */
  groupKey: z.string().min(1).max(200),
  policy: z.string().min(1),
  troubles: z.array(Trouble).min(1).max(200),
  openedAt: Timestamp,
  /** Raised by each reopening: pages and executions carry it. */
  generation: z.int().positive(),
  /** When this generation began: its escalation counts from here. */
  escalatesFrom: Timestamp,
  phase: ResponsePhase,
  /** Deadlines of the profile: kept or missed, they stay. */
  respondBy: Timestamp,
  resolveBy: Timestamp,
  acknowledgements: z.array(z.strictObject({ by: z.string().min(1).max(200), at: Timestamp, until: Timestamp })),
  resolvedAt: Timestamp.optional(),
  resolvedBy: z.string().max(200).optional(),
  /** Nobody is paged before then: a person works on it, or maintenance is on. */
  pausedUntil: Timestamp.optional(),
  roles: z.partialRecord(z.enum(['commander', 'communications', 'scribe']), z.string().max(200)).default({}),
  links: z
    .array(z.strictObject({ kind: z.enum(['execution', 'evidence', 'audit', 'proof', 'incident']), ref: z.string().max(300) }))
    .max(100),
  mergedInto: IncidentId.optional(),
  /** Clocks of the law that run since, where it is a breach. */
  breachDeclaredAt: Timestamp.optional(),
  lastSignalAt: Timestamp,
  version: z.int().nonnegative(),
});
export type Incident = z.output<typeof Incident>;

/** One line of an incident's timeline: what triage decided, who was paged and answered, what people did. */
export const TimelineEntry = z.strictObject({
  at: Timestamp,
  kind: z.enum([
    'signal',
    'decision',
    'page',
    'acknowledgement',
    'note',
    'severity',
    'phase',
    'runbook',
    'communication',
    'merge',
    'resolution',
    'reopening',
  ]),
  by: z.string().min(1).max(200),
  says: z.string().min(1).max(1000),
});
export type TimelineEntry = z.output<typeof TimelineEntry>;

/** One page to one person by one channel. Its id says all of it, so that the same page cannot be made twice. */
export const Page = z.strictObject({
  /** `<incident>/<generation>/<round>/<step>/<person>/<method>`: round and step from 0, method is the index of the contact method. */
  pageId: z.string().min(1).max(300),
  incidentId: IncidentId,
  home: Region,
  person: z.string().min(1),
  method: z.enum(['email', 'sms', 'https', 'pagerduty', 'slack']),
  reason: z.enum(['step', 'second-channel', 'stale-acknowledgement', 'digest', 'synthetic']),
  /** When the policy wants it sent: the auditor holds `acceptedAt` against it. */
  dueAt: Timestamp,
  status: z.enum(['pending', 'sending', 'accepted', 'failed', 'not-needed']),
  attempts: z.int().nonnegative(),
  /** While `sending`: whoever took it has until then. Once `failed`: when that was, and the person's next method is due. */
  takenUntil: Timestamp.optional(),
  acceptedAt: Timestamp.optional(),
  /** The channel's own id of it, or why it did not take it. */
  receipt: z.string().max(300).optional(),
  version: z.int().nonnegative(),
});
export type Page = z.output<typeof Page>;

/** Nobody is paged for what it matches; the signals are recorded with its id as the reason. */
export const Silence = z.strictObject({
  silenceId: z.string().regex(/^sil-[a-z0-9-]+$/),
  alarm: AlarmName.optional(),
  subject: Subject.optional(),
  region: Region.optional(),
  from: Timestamp,
  until: Timestamp,
  by: z.string().min(1).max(200),
  reason: z.string().min(1).max(300),
});
export type Silence = z.output<typeof Silence>;

/** Somebody takes somebody else's turn. */
export const Override = z.strictObject({
  overrideId: z.string().regex(/^ovr-[a-z0-9-]+$/),
  schedule: z.string().min(1),
  person: z.string().min(1),
  from: Timestamp,
  until: Timestamp,
  by: z.string().min(1).max(200),
});
export type Override = z.output<typeof Override>;

/** What a signed link says: acknowledge this incident, as this person, once, until then. */
export const AcknowledgeLink = z.strictObject({
  incidentId: IncidentId,
  home: Region,
  person: z.string().min(1),
  pageId: Page.shape.pageId,
  expiresAt: Timestamp,
  /** SHA-256 (hex) of the page's id: spent once it has been used. */
  nonce: Sha256,
});
export type AcknowledgeLink = z.output<typeof AcknowledgeLink>;

/** The record of the machine `escalate-incident`. */
export const EscalationRecord = z.strictObject({
  incidentId: IncidentId,
  generation: z.int().positive(),
  /** `tell`: pages are written down and wait to be sent. `waiting`: until `wakeAt`. `relay`: the next execution goes on. */
  status: z.enum(['started', 'tell', 'waiting', 'over', 'relay']).default('started'),
  says: z.string().max(1000).default(''),
  /** When to look again, while `waiting`. */
  wakeAt: Timestamp.optional(),
  /** Looks so far; an execution hands over to the next one before Step Functions' history is full. */
  looks: z.int().nonnegative().default(0),
  /** Executions of this generation before this one. */
  relays: z.int().nonnegative().default(0),
  failure: z.unknown().optional(),
});
export type EscalationRecord = z.output<typeof EscalationRecord>;
