import { createHash } from 'node:crypto';
import { InvalidInput } from './errors.ts';

/**
 * Every name that Codeblue gives to something in AWS. The CDK app makes things under these names and the adapters find
 * them under the same ones, so nothing has to be passed from one to the other. `Operations` is a `Deployment`.
 */
export interface Deployment {
  readonly name: string;
  readonly account: string;
}

const named = (deployment: Pick<Deployment, 'name'>, rest: string): string => `${deployment.name}-codeblue-${rest}`;

/** @throws InvalidInput when a service's limit is exceeded: better at synth than at the first call */
function within(limit: number, what: string, name: string): string {
  if (name.length <= limit) return name;
  throw new InvalidInput(`${what} "${name}" has ${name.length} characters, ${limit} are allowed`, {
    hint: 'Shorten the name of the deployment or of the task.',
  });
}

/** DynamoDB global tables, replicated to every Region of the deployment. */
export const stateTableName = (deployment: Pick<Deployment, 'name'>): string => named(deployment, 'state');
/** Not `audit`: a table of that name, keyed otherwise, is what 0.3 leaves behind, and stays. */
export const auditTableName = (deployment: Pick<Deployment, 'name'>): string => named(deployment, 'audit-events');
/** DynamoDB table of one Region's log: its head, batches, the queue of its sequencer, and the places of events. In every Region, and never replicated. */
export const auditLogTableName = (deployment: Pick<Deployment, 'name'>): string => named(deployment, 'audit-log');
/** The log's objects under Object Lock, one bucket per Region. */
export const auditBucketName = (deployment: Deployment, region: string): string =>
  within(63, 'the bucket name', named(deployment, `audit-${deployment.account}-${region}`));
/** The copy of one Region's log, in another Region. Under a name of its own: S3 copies an object under its key, and the Region of the copy has a log with the same keys. */
export const auditCopyBucketName = (deployment: Deployment, ofRegion: string): string =>
  within(63, 'the bucket name', named(deployment, `copy-${deployment.account}-${ofRegion}`));
/** Ed25519 (`ECC_NIST_EDWARDS25519`), one per Region and generation of the log: signs checkpoints and nothing else. */
export const auditKeyAlias = (deployment: Pick<Deployment, 'name'>, generation: number | '*'): string =>
  `alias/${named(deployment, `audit-log-${generation}`)}`;
/** Origin of a log (C2SP tlog-checkpoint), and the name of its key. */
export const auditLogOrigin = (deployment: Pick<Deployment, 'name'>, region: string, generation: number): string =>
  `${named(deployment, 'audit')}/${region}/${generation}`;
/** Event bus of one Region that applications put audit events on. */
export const auditBusName = (deployment: Pick<Deployment, 'name'>): string => named(deployment, 'audit-events');
/** Detail types that the bus takes: one event as the detail, or a batch as its `events`. */
export const auditDetailTypes = { one: 'codeblue.audit-event', batch: 'codeblue.audit-events' } as const;
/**
 * DynamoDB table of who leads, with multi-Region strong consistency: replicas in the primary and the standby, a witness in
 * `failover.witness`. Only deployments whose failover is not off have it.
 */
export const coordinationTableName = (deployment: Pick<Deployment, 'name'>): string => named(deployment, 'coordination');
/** Values of the coordination table's one key, the string `pk`: IAM conditions say by them who may write what. */
export const coordinationKeys = {
  record: 'record',
  hold: 'hold',
  containment: 'containment',
  /** Region of the observer. */
  vote: (region: string): string => `vote#${region}`,
  /** Region that closed its databases, and the epoch that it gave way to. */
  receipt: (region: string, epoch: number | '*'): string => `receipt#${region}#${epoch}`,
  request: (hash: string): string => `request#${hash}`,
  runbookRequest: (hash: string): string => `runbook-request#${hash}`,
  answer: (hash: string): string => `answer#${hash}`,
} as const;
/** Keys of the state table: strings `pk` and `sk`; time to live in `expiresAt` (seconds since 1970). */
export const stateTableKeys = { partition: 'pk', sort: 'sk', timeToLive: 'expiresAt' } as const;
/** Key of the audit table, a string: `<region>/<eventId>`, so that one id can be recorded once only in a Region. */
export const auditTableKeys = { partition: 'eventKey' } as const;
/**
 * Indexes of the audit table, KEYS_ONLY, all keys strings. Each is sorted by `place`: the event's time, its Region and its id, the order that queries answer in. An index
 * has only those events that have its partition attribute, and none that is erased but in the one by time.
 */
export const auditTableIndexes = {
  byTime: { name: 'by-time', partition: 'timeShard', sort: 'place' },
  byAction: { name: 'by-action', partition: 'actionShard', sort: 'place' },
  /** Of what did not succeed: denied, failed, skipped, pending. */
  byOutcome: { name: 'by-outcome', partition: 'outcomeShard', sort: 'place' },
  byUser: { name: 'by-user', partition: 'userShard', sort: 'place' },
  byResource: { name: 'by-resource', partition: 'resourceShard', sort: 'place' },
  byPatient: { name: 'by-patient', partition: 'patientRef', sort: 'place' },
  byAct: { name: 'by-act', partition: 'actId', sort: 'place' },
} as const;
/** Key of the table of one Region's log, a string: `head`, `batch#<id>`, `event#<id>`. */
export const auditLogTableKeys = { partition: 'pk' } as const;
/** KEYS_ONLY, both strings: the events of one Region that wait for their place in the log; whoever has one has left the index. */
export const auditLogTableIndexes = { waiting: { name: 'waiting', partition: 'waitingShard', sort: 'recordedAtAndId' } } as const;

/** Restored tables carry this prefix: DynamoDB takes no tags on a restore, so the name is the mark of ownership. */
export const restoredTablePrefix = (deployment: Pick<Deployment, 'name'>): string => `${deployment.name}-restored-`;

/** Manifests and proofs, one bucket per Region. Bucket names are global: account and Region make this one unique. */
export const bucketName = (deployment: Deployment, region: string): string =>
  within(63, 'the bucket name', named(deployment, `${deployment.account}-${region}`));

/** One per Region: re-encrypts snapshot copies, and encrypts manifests, proofs and the secrets of restored databases. */
export const backupKeyAlias = (deployment: Pick<Deployment, 'name'>): string => `alias/${named(deployment, 'backup')}`;
/** One per Region: encrypts the state and audit tables there. */
export const stateKeyAlias = (deployment: Pick<Deployment, 'name'>): string => `alias/${named(deployment, 'state')}`;
/** Ed25519 (`ECC_NIST_EDWARDS25519`), sign and verify: one per Region that verifies; a proof names the key that signed it. */
export const proofKeyAlias = (deployment: Pick<Deployment, 'name'>): string => `alias/${named(deployment, 'proof')}`;

/** AWS Backup vault of locked copies, in every Region that can lead. */
export const lockedVaultName = (deployment: Pick<Deployment, 'name'>): string => within(50, 'the vault name', named(deployment, 'locked'));
/** Role that AWS Backup assumes for a locked copy. Roles are one namespace for all Regions, and each Region makes its own. */
export const vaultRoleName = (deployment: Pick<Deployment, 'name'>, region: string): string =>
  within(64, 'the role name', named(deployment, `vault-${region}`));

/** RDS subnet group that restored databases live in: subnets without a route to production or to the internet. */
export const isolatedSubnetGroupName = (deployment: Pick<Deployment, 'name'>): string => named(deployment, 'isolated');

/** Queues before triage, in every Region: severity 1 has one of its own, so that no storm stands before it. */
export const signalQueueNames = ['urgent-signals', 'signals'] as const;
export type SignalQueueName = (typeof signalQueueNames)[number];
/** Every queue of a Region that has a consumer: those before triage, and what the audit bus delivers. */
export const queueNames = [...signalQueueNames, 'audit-events'] as const;
export type QueueName = (typeof queueNames)[number];
export const queueName = (deployment: Pick<Deployment, 'name'>, queue: QueueName): string =>
  within(80, 'the queue name', named(deployment, queue));
/** Messages that their consumer gave up. */
export const deadLetterQueueName = (deployment: Pick<Deployment, 'name'>, queue: QueueName): string =>
  `${queueName(deployment, queue)}-dead-letters`;
export const queueUrl = (deployment: Deployment, region: string, queue: QueueName): string =>
  `https://sqs.${region}.${domainOf(region)}/${deployment.account}/${queueName(deployment, queue)}`;
export const queueArn = (deployment: Deployment, region: string, queue: QueueName): string =>
  arn(deployment, region, 'sqs', queueName(deployment, queue));

/**
 * SNS topic of one Region for one way to reach one person. The address itself is in no name; a new one has a topic of its own, so that its subscription is asked for
 * anew.
 *
 * @param address of the mail, the number or the URL
 */
export const pageTopicName = (
  deployment: Pick<Deployment, 'name'>,
  person: string,
  kind: 'email' | 'sms' | 'https',
  address: string,
): string => named(deployment, `page-${person}-${kind}-${createHash('sha256').update(address).digest('hex').slice(0, 8)}`);
/** One per Region: HMAC-SHA-256 of the links that acknowledge. */
export const linkKeyAlias = (deployment: Pick<Deployment, 'name'>): string => `alias/${named(deployment, 'links')}`;

/** SNS topic of one Region that alarms go to. */
export const alarmTopicName = (deployment: Pick<Deployment, 'name'>): string => named(deployment, 'alarms');

export const functionName = (deployment: Pick<Deployment, 'name'>, task: string): string =>
  within(64, 'the function name', named(deployment, task));
export const machineName = (deployment: Pick<Deployment, 'name'>, machine: string): string =>
  within(80, 'the state machine name', named(deployment, machine));

/** Log groups of Codeblue itself begin so: those of functions, and those of machines. */
export const ownLogGroupPrefixes = (deployment: Pick<Deployment, 'name'>): readonly string[] =>
  ['/aws/lambda/', '/aws/vendedlogs/states/'].map((place) => `${place}${named(deployment, '')}`);

/** `aws`, `aws-cn` or `aws-us-gov`: the first part of every ARN of a Region. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

const domainOf = (region: string): string => (partitionOf(region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com');

const arn = (deployment: Deployment, region: string, service: string, resource: string): string =>
  `arn:${partitionOf(region)}:${service}:${region}:${deployment.account}:${resource}`;

export const machineArn = (deployment: Deployment, region: string, machine: string): string =>
  arn(deployment, region, 'states', `stateMachine:${machineName(deployment, machine)}`);

/** An execution's ARN names its machine and itself, so it needs no look-up. */
export const executionArn = (deployment: Deployment, region: string, machine: string, execution: string): string =>
  arn(deployment, region, 'states', `execution:${machineName(deployment, machine)}:${execution}`);

export const alarmTopicArn = (deployment: Deployment, region: string): string => arn(deployment, region, 'sns', alarmTopicName(deployment));

/** The replica of a secret in another Region has its name and its suffix. */
export const secretArnIn = (arn: string, region: string): string => arn.split(':').with(3, region).join(':');

export const topicArn = (deployment: Deployment, region: string, topicName: string): string => arn(deployment, region, 'sns', topicName);

export const vaultRoleArn = (deployment: Deployment, region: string): string =>
  `arn:${partitionOf(region)}:iam::${deployment.account}:role/${vaultRoleName(deployment, region)}`;

export const databaseArn = (deployment: Deployment, region: string, kind: 'db' | 'cluster', identifier: string): string =>
  arn(deployment, region, 'rds', `${kind}:${identifier}`);
/** `snapshot` of an instance, `cluster-snapshot` of an Aurora cluster. */
export const snapshotArn = (deployment: Deployment, region: string, kind: 'snapshot' | 'cluster-snapshot', snapshotId: string): string =>
  arn(deployment, region, 'rds', `${kind}:${snapshotId}`);

/** Tags on everything temporary or stored that Codeblue makes; IAM conditions name the first one. */
export const tagKeys = {
  /** Value: the deployment's name. */
  owner: 'codeblue:owner',
  /** Value: the database's id in the config. */
  database: 'codeblue:database',
  /** Value: ISO 8601 time after which the sweeper removes it; absent on snapshots, whose retention the inventory holds. */
  expires: 'codeblue:expires',
  /** Value: the Region that a snapshot was copied from; absent on one that was taken. */
  copiedFrom: 'codeblue:copied-from',
  /** Value: the epoch that ended a primary; on the instance that a rebuild or a replacement put aside. */
  keptAside: 'codeblue:kept-aside',
  /** Value: the id under which it was restored; on a copy that is to take a live database's place, or took it. */
  standsIn: 'codeblue:stands-in',
  /** Value: since when everything around its data is as the live one's; on such a copy. */
  fitSince: 'codeblue:fit-since',
  /** Value: `superseded`; on partial tiles of the audit log, which are the same in every batch but the last. */
  keeping: 'codeblue:keeping',
  /** Followed by the id of a security group rule; value: the rule that the network fence took out. */
  revokedRule: 'codeblue:revoked:',
} as const;

/** Environment of every function; AWS_REGION comes from Lambda itself. */
export const environmentNames = {
  /** Which task or step this function runs. */
  operation: 'CODEBLUE_OPERATION',
  /** SHA-256 (hex) of the deployed bundle. */
  codeSha256: 'CODE_SHA256',
  /** Path of the deployment's config as JSON; `operations.json` beside the bundle when unset. */
  operations: 'CODEBLUE_OPERATIONS',
  stateTable: 'STATE_TABLE',
  auditTable: 'AUDIT_TABLE',
  isolatedSubnetGroup: 'ISOLATED_SUBNET_GROUP',
  /** Of this Region's acknowledge endpoint; only functions with `link-signer:sign` need it. */
  acknowledgeUrl: 'ACKNOWLEDGE_URL',
  /** Only functions with `databases:restore` need it. */
  isolatedSecurityGroup: 'ISOLATED_SECURITY_GROUP_ID',
  /** Only functions with `replicas:rehearse` need it. */
  rehearsalSecurityGroup: 'REHEARSAL_SECURITY_GROUP_ID',
} as const;

/**
 * Addresses of a Region that answer anybody with 200 while it can be reached. Two services, so that the outage of one is not taken for that of
 * the Region.
 */
export function regionProbeAddresses(region: string): readonly string[] {
  return ['dynamodb', 'ec2'].map((service) => `https://${service}.${region}.${domainOf(region)}/ping`);
}
