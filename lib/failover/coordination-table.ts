import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { coordinationTableName, partitionOf, stateKeyAlias } from '../../functions/common/names.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/**
 * Who leads: a table with multi-Region strong consistency, replicas in the primary and the standby and a witness in a third Region, so that any one
 * of the three can be lost. It belongs to the primary's stack and is made once; a failover writes items and changes nothing of the table.
 *
 * Customer managed keys are as for other global tables, one per replica; a witness holds nothing that could be read and has none. Such a
 * table takes no transactions and no time to live: what accumulates is a receipt and a few questions per change of leadership.
 */
export class CoordinationTable extends Construct {
  constructor(parent: Construct, { operations }: RegionScope, keys: RegionalKeys) {
    super(parent, 'Coordination');
    const { standby } = operations.regions;
    const standbyKey = `arn:${partitionOf(standby)}:kms:${standby}:${operations.account}:${stateKeyAlias(operations)}`;
    new dynamodb.TableV2(this, 'Table', {
      tableName: coordinationTableName(operations),
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      billing: dynamodb.Billing.onDemand(),
      deletionProtection: true,
      encryption: dynamodb.TableEncryptionV2.customerManagedKey(keys.state, { [standby]: standbyKey }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
      replicas: [{ region: standby }],
      witnessRegion: operations.failover.witness,
      multiRegionConsistency: dynamodb.MultiRegionConsistency.STRONG,
    });
  }
}
