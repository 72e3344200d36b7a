import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { auditLogTableIndexes, auditLogTableKeys, auditLogTableName } from '../../functions/common/names.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

const text = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.STRING });

/**
 * Head, batches and queue of this Region's log. Never replicated: the last writer would win, and a log has one writer. Whoever waits is found by a sparse index. Nothing in it
 * is ever deleted, and its own policy says so to everybody, administrators included; a batch of writes can delete, so that call is among them.
 */
export class LogTable extends Construct {
  constructor(parent: Construct, { operations }: RegionScope, keys: RegionalKeys) {
    super(parent, 'LogTable');
    const { name, partition, sort } = auditLogTableIndexes.waiting;
    new dynamodb.TableV2(this, 'Table', {
      tableName: auditLogTableName(operations),
      partitionKey: text(auditLogTableKeys.partition),
      globalSecondaryIndexes: [
        { indexName: name, partitionKey: text(partition), sortKey: text(sort), projectionType: dynamodb.ProjectionType.KEYS_ONLY },
      ],
      billing: dynamodb.Billing.onDemand(),
      deletionProtection: true,
      encryption: dynamodb.TableEncryptionV2.customerManagedKey(keys.state),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
      resourcePolicy: new iam.PolicyDocument({
        statements: [
          new iam.PolicyStatement({
            sid: 'NothingIsDeleted',
            effect: iam.Effect.DENY,
            principals: [new iam.AnyPrincipal()],
            actions: ['dynamodb:DeleteItem', 'dynamodb:BatchWriteItem', 'dynamodb:PartiQLDelete'],
            resources: ['*'], // in a table's policy `*` is the table
          }),
        ],
      }),
    });
  }
}
