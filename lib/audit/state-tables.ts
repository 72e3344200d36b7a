import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import {
  auditTableIndexes,
  auditTableKeys,
  auditTableName,
  partitionOf,
  stateKeyAlias,
  stateTableKeys,
  stateTableName,
} from '../../functions/common/names.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

const text = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.STRING });

/**
 * Inventory, ledger and audit events: global tables with a replica in every Region, each under that Region's own key.
 * They belong to the primary Region's stack; the other Regions find them by name. The replicas' keys are named by alias,
 * so those Regions are deployed first.
 */
export class StateTables extends Construct {
  constructor(parent: Construct, { operations, region }: RegionScope, keys: RegionalKeys) {
    super(parent, 'Tables');
    const others = regionsOf(operations).filter((each) => each !== region);
    const aliasArn = (of: string) => `arn:${partitionOf(of)}:kms:${of}:${operations.account}:${stateKeyAlias(operations)}`;
    const shared = {
      billing: dynamodb.Billing.onDemand(),
      deletionProtection: true,
      encryption: dynamodb.TableEncryptionV2.customerManagedKey(
        keys.state,
        Object.fromEntries(others.map((each) => [each, aliasArn(each)])),
      ),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
      replicas: others.map((each) => ({ region: each })),
    };
    new dynamodb.TableV2(this, 'State', {
      ...shared,
      tableName: stateTableName(operations),
      partitionKey: text(stateTableKeys.partition),
      sortKey: text(stateTableKeys.sort),
      timeToLiveAttribute: stateTableKeys.timeToLive,
    });
    new dynamodb.TableV2(this, 'Audit', {
      ...shared,
      tableName: auditTableName(operations),
      partitionKey: text(auditTableKeys.partition),
      globalSecondaryIndexes: Object.values(auditTableIndexes).map(({ name, partition, sort }) => ({
        indexName: name,
        partitionKey: text(partition),
        sortKey: text(sort),
        projectionType: dynamodb.ProjectionType.KEYS_ONLY, // what is found is read from the table, where erasing removed it
      })),
    });
  }
}
