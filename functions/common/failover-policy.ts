import { z } from 'zod';
import { Duration } from './duration.ts';
import { Region } from './ids.ts';
import { Schedule } from './schedule.ts';

/** A service of the workload, and where each Region answers for its health. */
const Service = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'lower-case words joined by hyphens'),
  /** Counts towards `triggers.criticalServicesUnhealthy`. */
  critical: z.boolean(),
  /** Health endpoint by Region; a 2xx answer within the timeout is healthy. */
  health: z.record(Region, z.url({ protocol: /^https?$/ })),
});
export type Service = z.output<typeof Service>;

/** Something that runs at one strength in the active Region and at another in a standby: an ECS service or an Auto Scaling group. */
const CapacityItem = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'lower-case words joined by hyphens'),
  kind: z.enum(['ecs-service', 'auto-scaling-group']),
  /** By Region: `cluster/service` of ECS, or the name of the group. */
  sites: z.record(Region, z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/, 'cluster/service, or the name of a group')),
  /** Tasks or instances while the Region is active. */
  active: z.int().nonnegative(),
  /** Tasks or instances while it stands by. */
  standby: z.int().nonnegative(),
});
export type CapacityItem = z.output<typeof CapacityItem>;

/** How the system moves to another Region. */
export const FailoverPolicy = z.strictObject({
  /** `automatic` moves by itself, `approve` asks a human first, `off` observes nothing and fences nothing. */
  mode: z.enum(['off', 'approve', 'automatic']),
  /** Third Region of the coordination table: keeps the majority, stores nothing that can be read. From the same Region set as primary and standby. */
  witness: Region,
  lease: z.strictObject({
    /**
     * The database accepts writes for this long after its guardian last renewed. When a deployment makes it shorter, leases of the old length run on
     * for that long: put a hold first, so that nobody waits for the new length only.
     */
    length: Duration,
    /** Added to every wait for a lease that nobody confirms: the drift of a database's clock over a lease, and the time a commit takes. */
    margin: Duration,
    renewEvery: Duration,
  }),
  observe: z.strictObject({
    every: Duration,
    /** Of one probe. */
    timeout: Duration,
    /** An older vote does not count. */
    voteMaxAge: Duration,
    /** Hysteresis: consecutive probes that turn a finding. */
    failuresToTrip: z.int().positive(),
    successesToClear: z.int().positive(),
    /** A majority must have agreed on the same trigger for this long. */
    dwell: Duration,
  }),
  triggers: z.strictObject({
    /** So many critical services at once; `null` turns the trigger off. */
    criticalServicesUnhealthy: z.int().positive().nullable(),
    regionUnreachable: z.boolean(),
    databaseUnhealthy: z.boolean(),
  }),
  /** Nothing moves by itself so soon after the last move. */
  coolDown: Duration,
  approvals: z.strictObject({
    /** Who may answer: IAM principals (ARNs, `*` at the end allowed) on AWS, user names in the lab. Nobody answers their own request. */
    by: z.array(z.string().min(1)),
    expireAfter: Duration,
  }),
  services: z.array(Service),
  capacity: z.array(CapacityItem),
  routing: z.strictObject({
    /** Failover records that follow the lease. Codeblue makes them at deployment and never edits them. */
    dns: z
      .strictObject({
        hostedZoneId: z.string().regex(/^Z[A-Z0-9]+$/, 'a hosted zone id'),
        recordName: z.string().min(1),
        /** By Region: the load balancer's name and its own hosted zone. */
        targets: z.record(Region, z.strictObject({ dnsName: z.string().min(1), hostedZoneId: z.string().min(1) })),
      })
      .optional(),
    /** Amazon Application Recovery Controller. */
    arc: z
      .strictObject({
        clusterEndpoints: z.array(z.strictObject({ region: Region, url: z.url() })).min(1),
        controls: z.record(Region, z.string().startsWith('arn:', 'the ARN of a routing control')),
      })
      .optional(),
  }),
  /** What a breach leaves traces in, besides Codeblue's own logs: exported by the machine `contain-breach` into locked objects. */
  evidence: z
    .strictObject({
      /** By Region: CloudWatch log groups of the workload, and that of CloudTrail where a trail writes to one. */
      logGroups: z.record(Region, z.array(z.string().regex(/^[\w.\-/#]{1,512}$/, 'the name of a log group such as /aws/cloudtrail/main'))),
    })
    .default({ logGroups: {} }),
  /** Recovery time objectives of the profile. */
  objectives: z.strictObject({ criticalServices: Duration, database: Duration, full: Duration }),
  drills: z.strictObject({
    /** Rehearsal beside the live system. */
    rehearsal: Schedule,
    /** Moves for real and back; needs an approval each time. */
    fullTest: Schedule,
  }),
});
export type FailoverPolicy = z.output<typeof FailoverPolicy>;

/** When disruptive work may run. */
export const ChangeWindow = z.strictObject({ name: z.string().min(1), opens: Schedule, lasts: Duration });
export type ChangeWindow = z.output<typeof ChangeWindow>;
