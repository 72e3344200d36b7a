import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { backupKeyAlias, linkKeyAlias, proofKeyAlias, stateKeyAlias } from '../../functions/common/names.ts';
import { judges, type RegionScope } from './region-scope.ts';

/** Longest that AWS allows between asking for a key's deletion and losing everything under it. */
const deletionWindow = Duration.days(30);

/**
 * The keys of one Region. No key leaves its Region, so that losing one Region, or being denied it, leaves the others
 * able to read what they hold.
 */
export class RegionalKeys extends Construct {
  /** Snapshot copies, restored databases and their secrets, manifests, proofs, locked copies. */
  readonly backup: kms.Key;
  /** Tables, logs, queues, alarm topic, machine records. */
  readonly state: kms.Key;
  /** Ed25519; signs proofs of restore. Only Regions that verify have one: a proof names the key that signed it. */
  readonly proof: kms.Key | undefined;
  /** HMAC-SHA-256; signs the links of this Region's pages. Kept like the others: a stack that goes takes no link with it that somebody is about to press. */
  readonly links: kms.Key | undefined;

  constructor(parent: Construct, scope: RegionScope) {
    super(parent, 'Keys');
    const { operations, region } = scope;
    const { account } = Stack.of(this);
    const symmetric = { enableKeyRotation: true, pendingWindow: deletionWindow, removalPolicy: RemovalPolicy.RETAIN };

    this.backup = new kms.Key(this, 'Backup', {
      ...symmetric,
      alias: backupKeyAlias(operations),
      description: 'Codeblue: snapshot copies, restored databases, manifests and proofs of this Region',
    });
    this.state = new kms.Key(this, 'State', {
      ...symmetric,
      alias: stateKeyAlias(operations),
      description: 'Codeblue: state, logs, queues and alarms of this Region',
    });
    this.state.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogGroupsOfThisAccount',
        principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:GenerateDataKey', 'kms:DescribeKey'],
        resources: ['*'], // in a key policy `*` is this key
        conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${Stack.of(this).partition}:logs:${region}:${account}:*` } },
      }),
    );
    this.state.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsPublishToTheTopic',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
    this.state.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'EventsReachTheQueues', // and lie on the audit bus
        principals: [new iam.ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
    if (operations.incidents.mode === 'on') {
      this.links = new kms.Key(this, 'Links', {
        keySpec: kms.KeySpec.HMAC_256,
        keyUsage: kms.KeyUsage.GENERATE_VERIFY_MAC,
        alias: linkKeyAlias(operations),
        description: 'Codeblue: signs links that acknowledge an incident (HMAC)',
        pendingWindow: deletionWindow,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    }
    if (!judges(scope)) return;
    this.proof = new kms.Key(this, 'Proof', {
      keySpec: kms.KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: kms.KeyUsage.SIGN_VERIFY,
      alias: proofKeyAlias(operations),
      description: 'Codeblue: signs proofs of restore (Ed25519)',
      pendingWindow: deletionWindow,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}
