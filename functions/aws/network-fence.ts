import {
  AuthorizeSecurityGroupIngressCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeSecurityGroupsCommand,
  EC2Client,
  type IpPermission,
  paginateDescribeSecurityGroupRules,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroupRule,
} from '@aws-sdk/client-ec2';
import { z } from 'zod';
import { NotFound } from '../common/errors.ts';
import type { DatabaseId, Region } from '../common/ids.ts';
import { tagKeys } from '../common/names.ts';
import type { Database } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { parseAs } from '../common/parse.ts';
import type { NetworkFence } from '../failover/ports.ts';
import { auroraClusters } from './aurora-clusters.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, errorNameOf } from './errors.ts';
import { rdsInstances } from './rds-instances.ts';
import type { AwsSettings } from './settings.ts';

/** A rule whose description begins so stays: the other Region's guardian and failback come in by it, by address because groups have no names across Regions. */
const spared = /^codeblue\b/i;

const ec2In = perRegion((region) => new EC2Client(clientOptions(region)));

/** What it takes to put a rule back. As JSON below 256 characters, the longest value of a tag. */
const Source = z.strictObject({
  protocol: z.string(),
  from: z.int().optional(),
  to: z.int().optional(),
  ipv4: z.string().optional(),
  ipv6: z.string().optional(),
  list: z.string().optional(),
  group: z.string().optional(),
  says: z.string().optional(),
});
type Source = z.output<typeof Source>;

/**
 * Takes every rule out of the database's own security groups that lets somebody in on its port, except Codeblue's ways in: guardians and failback
 * still must reach it. Before a rule is revoked it is written into a tag of its group, so a run that dies between the two loses nothing,
 * and `restore` needs nothing else. Connections that are open already may live on: the fence in the database is what stops those.
 */
export function networkFencePort(settings: AwsSettings): NetworkFence {
  const { operations } = settings;
  const kinds = { 'rds-postgres': rdsInstances(settings), 'aurora-postgres': auroraClusters(settings) };

  async function groupsOf(
    databaseId: DatabaseId,
    region: Region,
  ): Promise<{ readonly groups: readonly string[]; readonly database: Database }> {
    const database = databaseOf(operations, databaseId);
    const site = database.sites[region];
    if (!site) throw new NotFound(`the config has no ${databaseId} in ${region}`);
    const found = await calling(`find the security groups of ${databaseId}`, () =>
      kinds[database.engine].securityGroups(site.identifier, region),
    );
    // Somebody may have given the database the very group that Codeblue's functions wear: that one also guards other things.
    return { groups: found.filter((group) => group !== site.network.securityGroupId), database };
  }

  return {
    async isolate(databaseId, region) {
      const { groups, database } = await groupsOf(databaseId, region);
      const ours = database.sites[region]?.network.securityGroupId;
      const isOurs = (rule: SecurityGroupRule) => rule.ReferencedGroupInfo?.GroupId === ours || spared.test(rule.Description ?? '');
      const rules = (await rulesOf(region, groups)).filter((rule) => letsIn(rule, database.port) && !isOurs(rule));
      for (const rule of rules) await takeOut(region, rule);
      return rules.length;
    },
    async restore(databaseId, region) {
      const { groups } = await groupsOf(databaseId, region);
      let restored = 0;
      for (const { group, key, source } of await takenOut(region, groups)) {
        await putBack(region, group, source);
        const untag = new DeleteTagsCommand({ Resources: [group], Tags: [{ Key: key }] });
        await calling(`forget ${key}`, () => ec2In(region).send(untag));
        restored++;
      }
      return restored;
    },
  };
}

async function rulesOf(region: Region, groups: readonly string[]): Promise<readonly SecurityGroupRule[]> {
  if (groups.length === 0) return [];
  return calling(`list the rules of ${groups.join(', ')}`, async () => {
    const rules: SecurityGroupRule[] = [];
    const query = { Filters: [{ Name: 'group-id', Values: [...groups] }] };
    for await (const page of paginateDescribeSecurityGroupRules({ client: ec2In(region) }, query)) {
      rules.push(...(page.SecurityGroupRules ?? []));
    }
    return rules;
  });
}

const letsIn = (rule: SecurityGroupRule, port: number): boolean => {
  if (rule.IsEgress) return false;
  if (rule.IpProtocol === '-1') return true;
  return rule.IpProtocol === 'tcp' && (rule.FromPort ?? 0) <= port && port <= (rule.ToPort ?? 65_535);
};

async function takeOut(region: Region, rule: SecurityGroupRule): Promise<void> {
  const { GroupId = '', SecurityGroupRuleId = '' } = rule;
  const Tags = [{ Key: `${tagKeys.revokedRule}${SecurityGroupRuleId}`, Value: JSON.stringify(sourceOf(rule)) }];
  await calling(`note the rule ${SecurityGroupRuleId}`, () => ec2In(region).send(new CreateTagsCommand({ Resources: [GroupId], Tags })));
  const revoke = new RevokeSecurityGroupIngressCommand({ GroupId, SecurityGroupRuleIds: [SecurityGroupRuleId] });
  await calling(`revoke the rule ${SecurityGroupRuleId}`, () =>
    unless('InvalidSecurityGroupRuleId.NotFound', async () => void (await ec2In(region).send(revoke))),
  );
}

async function takenOut(
  region: Region,
  GroupIds: readonly string[],
): Promise<readonly { readonly group: string; readonly key: string; readonly source: Source }[]> {
  if (GroupIds.length === 0) return [];
  const command = new DescribeSecurityGroupsCommand({ GroupIds: [...GroupIds] });
  const { SecurityGroups = [] } = await calling('read the tags of the security groups', () => ec2In(region).send(command));
  return SecurityGroups.flatMap(({ GroupId: group = '', Tags = [] }) =>
    Tags.filter(({ Key = '' }) => Key.startsWith(tagKeys.revokedRule)).map(({ Key: key = '', Value = '' }) => ({
      group,
      key,
      source: parseAs(Source, JSON.parse(Value), `the tag ${key} of ${group}`),
    })),
  );
}

/** A rule that is there already was put back by a run that died before it forgot the tag. */
async function putBack(region: Region, GroupId: string, source: Source): Promise<void> {
  const command = new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [permissionOf(source)] });
  await calling(`put a rule of ${GroupId} back`, () =>
    unless('InvalidPermission.Duplicate', async () => void (await ec2In(region).send(command))),
  );
}

const sourceOf = (rule: SecurityGroupRule): Source => ({
  protocol: rule.IpProtocol ?? '-1',
  ...(rule.IpProtocol === '-1' ? {} : { from: rule.FromPort, to: rule.ToPort }),
  ...(rule.CidrIpv4 ? { ipv4: rule.CidrIpv4 } : {}),
  ...(rule.CidrIpv6 ? { ipv6: rule.CidrIpv6 } : {}),
  ...(rule.PrefixListId ? { list: rule.PrefixListId } : {}),
  ...(rule.ReferencedGroupInfo?.GroupId ? { group: rule.ReferencedGroupInfo.GroupId } : {}),
  ...(rule.Description ? { says: rule.Description.slice(0, 80) } : {}),
});

function permissionOf({ protocol, from, to, ipv4, ipv6, list, group, says }: Source): IpPermission {
  const described = says ? { Description: says } : {};
  return {
    IpProtocol: protocol,
    ...(from === undefined ? {} : { FromPort: from }),
    ...(to === undefined ? {} : { ToPort: to }),
    ...(ipv4 ? { IpRanges: [{ CidrIp: ipv4, ...described }] } : {}),
    ...(ipv6 ? { Ipv6Ranges: [{ CidrIpv6: ipv6, ...described }] } : {}),
    ...(list ? { PrefixListIds: [{ PrefixListId: list, ...described }] } : {}),
    ...(group ? { UserIdGroupPairs: [{ GroupId: group, ...described }] } : {}),
  };
}

async function unless(errorName: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (errorNameOf(error) !== errorName) throw error;
  }
}
