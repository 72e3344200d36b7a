import { partitionOf } from '../../functions/common/names.ts';
import { type Grant, grant } from './grant.ts';
import type { RegionScope } from './region-scope.ts';

/** Reading and writing under a symmetric key, named one by one: no `kms:GenerateDataKey*`. */
export const dataKeyActions = [
  'kms:Decrypt',
  'kms:Encrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:DescribeKey',
] as const;

/**
 * Use of the keys of some Regions, known by their alias, through one service only. The id of a key in another Region is
 * not known while this Region is synthesized, so the condition on the alias says which key it is.
 */
export function keysThroughService(
  { operations }: Pick<RegionScope, 'operations'>,
  regions: readonly string[],
  alias: string,
  service: string,
  actions: readonly string[],
): Grant {
  return grant({
    actions,
    resources: regions.map((region) => `arn:${partitionOf(region)}:kms:${region}:${operations.account}:key/*`),
    conditions: {
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': [alias] },
      StringEquals: { 'kms:ViaService': regions.map((region) => `${service}.${region}.amazonaws.com`) },
    },
    because: 'a condition narrows it to one key by its alias; the id only exists once that Region is deployed',
  });
}
