import { databaseArn } from '../../functions/common/names.ts';
import { describe, liveCredentials, liveDatabases, owned, rdsArn, restoredCredentials } from './database-permissions.ts';
import { type Grant, grant } from './grant.ts';
import type { RegionScope } from './region-scope.ts';

const restoredCopies = ({ operations, region }: RegionScope): readonly string[] => [databaseArn(operations, region, 'db', 'cbv-*')];
const copiesAreNamedLater = 'restored copies are named by time; the prefix is ours alone';

/** Changes the restored copy, and reads what opens it and what shall. */
export const prepareSwap = (scope: RegionScope): readonly Grant[] => {
  if (liveDatabases(scope, scope.region).length === 0) return describe(scope);
  return [
    ...describe(scope),
    grant({
      actions: ['rds:ModifyDBInstance', 'rds:RebootDBInstance', 'rds:AddTagsToResource', 'rds:RemoveTagsFromResource'],
      resources: restoredCopies(scope),
      conditions: owned(scope),
      because: copiesAreNamedLater,
    }),
    grant({
      actions: ['rds:ModifyDBInstance'],
      resources: ['subgrp:*', 'pg:*'].map((group) => rdsArn(scope, group)),
      because: 'the copy takes the subnet group and the parameter group of the live database, which the deployer named',
    }),
    ...liveCredentials(scope),
    ...restoredCredentials(scope),
  ];
};

/** Renames the live databases of the config, and restored copies. */
export const swapIn = (scope: RegionScope): readonly Grant[] => {
  const live = liveDatabases(scope, scope.region);
  if (live.length === 0) return describe(scope);
  return [
    ...describe(scope),
    grant({ actions: ['rds:ModifyDBInstance', 'rds:AddTagsToResource'], resources: live }),
    grant({
      actions: ['rds:ModifyDBInstance'],
      resources: restoredCopies(scope),
      conditions: owned(scope),
      because: copiesAreNamedLater,
    }),
  ];
};
