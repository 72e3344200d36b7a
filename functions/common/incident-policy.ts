import { z } from 'zod';
import { Duration } from './duration.ts';
import { Region } from './ids.ts';
import { TimeZone } from './schedule.ts';

/** Lower-case words joined by hyphens: what people, schedules, services and integrations are called. Never a patient's name: they stand in pages. */
const Name = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'lower-case words joined by hyphens');

/**
 * How bad it is, as a number: 1 patients' data or the whole system is at risk now (P0, SEV-1), 2 a promise is about to break (P1, SEV-2), 3 look today (P2, SEV-3),
 * 4 look this week (P3, SEV-4). Smaller is worse.
 */
export const Severity = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]);
export type Severity = z.output<typeof Severity>;
export const severities: readonly Severity[] = [1, 2, 3, 4];

const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 09:00');

/** One way to reach a person, in the order in which they are tried: the next one is used when the one before does not take the page. */
export const ContactMethod = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('email'), address: z.email() }),
  /** E.164. */
  z.strictObject({ kind: z.literal('sms'), number: z.string().regex(/^\+[1-9]\d{6,14}$/, 'a number such as +15551234567') }),
  /** An endpoint that takes SNS's HTTPS delivery. */
  z.strictObject({ kind: z.literal('https'), url: z.url({ protocol: /^https$/ }) }),
  /** The deployment's own PagerDuty and Slack accounts: `incidents.channels`. */
  z.strictObject({ kind: z.literal('pagerduty') }),
  z.strictObject({ kind: z.literal('slack') }),
]);
export type ContactMethod = z.output<typeof ContactMethod>;

const Person = z.strictObject({
  id: Name,
  name: z.string().min(1).max(80),
  /** For severities 1 and 2, and for the rest where `calm` is left out. At least two kinds: a second channel when the first fails. */
  urgent: z.array(ContactMethod).min(1),
  calm: z.array(ContactMethod).min(1).optional(),
  /** IAM principals (ARNs, `*` at the end allowed) on AWS, user names in the lab: who may acknowledge by the CLI as this person. */
  principals: z.array(z.string().min(1)).default([]),
});
export type Person = z.output<typeof Person>;

/** People who take turns. Layers lie over each other: the last one that has somebody on duty wins. */
const Rotation = z.strictObject({
  people: z.array(Name).min(1),
  /** The first person's first turn begins on this day, at `handOver.at`. */
  from: z.iso.date(),
  /** Turns are counted in civil days of the schedule's zone, so a turn over a change of the clocks is an hour longer or shorter. */
  handOver: z.strictObject({ everyDays: z.int().min(1).max(366), at: LocalTime }),
  /** On duty only then; always when left out. A time range that ends before it begins runs over midnight. */
  only: z
    .array(
      z.strictObject({ days: z.array(z.enum(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'])).min(1), from: LocalTime, to: LocalTime }),
    )
    .min(1)
    .optional(),
});
export type Rotation = z.output<typeof Rotation>;

const OnCallSchedule = z.strictObject({ id: Name, timeZone: TimeZone, layers: z.array(Rotation).min(1) });
export type OnCallSchedule = z.output<typeof OnCallSchedule>;

const Target = z.union([z.strictObject({ schedule: Name }), z.strictObject({ person: Name })]);

/** Who is told, and who next when nobody answers. */
const EscalationPolicy = z.strictObject({
  id: Name,
  /** `wait`: how long this step has before the next one begins. */
  steps: z.array(z.strictObject({ notify: z.array(Target).min(1), wait: Duration })).min(1),
  /** How often the whole list is gone through again after its last step. */
  repeats: z.int().min(0).max(20),
  /** People who must acknowledge, by severity; one when left out. */
  acknowledgements: z.partialRecord(z.enum(['1', '2', '3', '4']), z.int().min(1).max(5)).default({}),
});
export type EscalationPolicy = z.output<typeof EscalationPolicy>;

/** Something that alarms are about and somebody owns. */
const OwnedService = z.strictObject({ id: Name, policy: Name });

/** A door for other tools. Only the SHA-256 (hex) of its key is in the config. */
const Integration = z.strictObject({
  id: Name,
  /** `pagerduty`: Events API v2. `alertmanager`: webhook, version 4. */
  kind: z.enum(['pagerduty', 'alertmanager']),
  keySha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the key, in hex'),
  /** What its alerts are about where they do not name one of `services`. */
  service: Name,
  /** Names of its alerts that pages may call by name, because they tell nothing of anybody; all others are called after the tool. */
  alarms: z.array(z.string().regex(/^[A-Z][A-Za-z0-9]{1,60}$/, 'the name of an alert such as DiskFull')).default([]),
  /** Requests a minute before 429; a storm of one tool must not be everybody's. */
  perMinute: z.int().positive().default(12_000),
});
export type Integration = z.output<typeof Integration>;

const MetricSource = z.strictObject({
  namespace: z.string().regex(/^[^:][\x20-\x7e]{0,254}$/, 'the namespace of a metric'),
  metric: z.string().min(1).max(255),
  dimensions: z.record(z.string(), z.string()).default({}),
});

/** Alarms of the manuals that a metric of the workload's own can be held against. */
export const workloadAlarms = [
  'ServiceDown',
  'ErrorRateHigh',
  'ResponseSlow',
  'FailedLogins',
  'CpuHigh',
  'MemoryHigh',
  'DiskFull',
  'LatencyHigh',
  'ConnectionsHigh',
] as const;

/** A metric that the workload or an agent of it writes to CloudWatch, by Region. Per cent, seconds, logins a minute; for `ServiceDown` 1 while it is down, else 0. */
const WorkloadMetric = z.strictObject({
  alarm: z.enum(workloadAlarms),
  sites: z.record(
    Region,
    MetricSource.extend({
      /** Where `metric` counts: what it is a share of. */
      of: MetricSource.optional(),
    }),
  ),
  /** In milliseconds instead of seconds. */
  inMilliseconds: z.boolean().default(false),
});

/** Part of the workload that the thresholds of the manuals are held against, besides `databases`, `failover.services` and `failover.capacity`. */
const Monitored = z.strictObject({
  /** Stands in alarms and pages; one of `services` where somebody owns it. */
  id: Name,
  /** The Application Load Balancer before it, by Region: errors, response times and healthy targets. */
  loadBalancer: z
    .record(
      Region,
      z.strictObject({
        name: z.string().regex(/^app\/[\w-]+\/[0-9a-f]{16}$/, 'the end of its ARN, such as app/portal/50dc6c495c0c9188'),
        targetGroup: z
          .string()
          .regex(/^targetgroup\/[\w-]+\/[0-9a-f]{16}$/, 'the end of its ARN, such as targetgroup/portal/73e2d6bc24d8a067'),
      }),
    )
    .optional(),
  /** Instead of what is derived for the same alarm. */
  metrics: z.array(WorkloadMetric).default([]),
});
export type Monitored = z.output<typeof Monitored>;

const SeverityPolicy = z.strictObject({
  /** The profile's word: `P0`, `SEV-1`. */
  name: z.string().min(1).max(20),
  /** Clocks from the opening: somebody answers, it is resolved. */
  respondWithin: Duration,
  resolveWithin: Duration,
  /** Whether people are paged at once, or read it when they look. */
  pages: z.boolean(),
  /** An acknowledgement is worth this long; then it escalates again unless somebody says that they still work on it. */
  acknowledgementLasts: Duration,
});
export type SeverityPolicy = z.output<typeof SeverityPolicy>;

/** What an automated runbook may do by itself. */
export const AutomatedRunbook = z.strictObject({
  id: Name,
  /** Alarms that start it, by the name of their page (`ServiceDown`). */
  alarm: z.string().regex(/^[A-Z][A-Za-z0-9]{1,60}$/, 'the name of an alarm such as ServiceDown'),
  /** What the alarm must be about, where that is not what the action acts on: a service whose trouble its capacity can mend. */
  subject: Name.optional(),
  action: z.discriminatedUnion('kind', [
    /** Of `failover.capacity`. */
    z.strictObject({ kind: z.literal('restart-service'), capacity: Name }),
    z.strictObject({ kind: z.literal('scale-out'), capacity: Name, by: z.int().min(1).max(100), atMost: z.int().min(1).max(10_000) }),
    /** Ends queries that have run for longer, by application roles only. */
    z.strictObject({ kind: z.literal('end-long-queries'), database: Name, olderThan: Duration }),
    z.strictObject({
      kind: z.literal('enlarge-storage'),
      database: Name,
      byPercent: z.int().min(5).max(100),
      atMostGigabytes: z.int().min(20).max(65_536),
    }),
    z.strictObject({ kind: z.literal('emergency-backup'), database: Name }),
  ]),
  guard: z.strictObject({
    /** `anytime`, or only inside `changeWindows`. */
    when: z.enum(['anytime', 'change-window']),
    /** Tries within `per`, over all incidents: one that does not help must not go on. */
    tries: z.int().min(1).max(20),
    per: Duration,
    /** A human must agree first. */
    approval: z.boolean(),
  }),
  /** Time until the alarm must be well again for it to count as a success. */
  helpsWithin: Duration,
});
export type AutomatedRunbook = z.output<typeof AutomatedRunbook>;

/** From an alarm to a person who answers. */
export const IncidentPolicy = z.strictObject({
  /** `off`: alarms go to the on-call address by mail, and nothing else happens. */
  mode: z.enum(['off', 'on']),
  severities: z.strictObject({ 1: SeverityPolicy, 2: SeverityPolicy, 3: SeverityPolicy, 4: SeverityPolicy }),
  people: z.array(Person).min(1),
  schedules: z.array(OnCallSchedule).min(1),
  policies: z.array(EscalationPolicy).min(1),
  /** Of whatever has no service of its own. */
  defaultPolicy: Name,
  services: z.array(OwnedService),
  integrations: z.array(Integration),
  /** What alarms are derived from, in mode `off` too. */
  monitored: z.array(Monitored).default([]),
  /** Where docs/runbooks is published: dashboards link to `<this>/<alarm>.md`. Without it they name the file. */
  runbooksAt: z.url({ protocol: /^https$/ }).optional(),
  /** Signals of one service within this time of each other are one incident. */
  groupWithin: Duration,
  /** An alarm that changes so often within `per` is not paged again before it has been quiet for `quietFor`. */
  flapping: z.strictObject({ changes: z.int().min(3), per: Duration, quietFor: Duration }),
  /** While an incident of `source` (an alarm's page, such as `RegionDown`) is open, alarms of `silences` in the same Region join it and page nobody. */
  inhibitions: z.array(z.strictObject({ source: z.string(), silences: z.array(z.string()).min(1) })),
  channels: z.strictObject({
    /** Secrets Manager secrets that hold the integration's key, the webhook's address. */
    pagerdutyRoutingKeySecretArn: z.string().startsWith('arn:').optional(),
    slackWebhookSecretArn: z.string().startsWith('arn:').optional(),
    /** Pages a second that a channel gets at most; SNS suspends e-mail subscriptions above 10. Beyond it they are put into one digest. */
    perSecond: z.strictObject({
      email: z.number().positive().max(9),
      sms: z.number().positive(),
      https: z.number().positive(),
      pagerduty: z.number().positive(),
      slack: z.number().positive().max(1),
    }),
  }),
  /** A signed link acknowledges for this long, once. */
  linkLasts: Duration,
  runbooks: z.array(AutomatedRunbook),
  /** Clocks of the law, from the moment that a breach is declared: HIPAA 60 days (45 CFR 164.404), GDPR 72 h (article 33). */
  regulations: z.array(z.enum(['hipaa', 'gdpr'])),
});
export type IncidentPolicy = z.output<typeof IncidentPolicy>;
